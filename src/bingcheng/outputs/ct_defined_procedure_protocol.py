"""A protocol for the console of a CT: DICOM's CT Defined Procedure Protocol (PS3.3 A.82.2, Supplement 121).

What a protocol asks of settings that the standard names becomes a constraint on them (10.25, C.34.9, C.34.11); what it
asks beyond that (delays after the injection, the order of phases) becomes an instruction to the operator (C.34.6), so
that nothing is lost. Each role is one acquisition and one reconstruction made from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from pydicom.datadict import dictionary_description, dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

import bingcheng
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.finding import Level, Trust
from bingcheng.core.units import UNITS
from bingcheng.core.wording import Text, text
from bingcheng.outputs.seg import MANUFACTURER, PRODUCT
from bingcheng.outputs.source_images import save
from bingcheng.protocol.authoring.diff import demand_in_words
from bingcheng.protocol.model import Criterion, Limit, Protocol, Role, Scope
from bingcheng.protocol.procedure_constraints import DEFINED_PROTOCOL

NOT_A_CT_PROTOCOL = Problem(
    code="outputs.not-a-ct-protocol",
    says="'{protocol}' is a protocol for {modality}, and DICOM has this object for CT only",
    remedy="Print the sheet (--sheet) for the console of another modality.",
    owner=Owner.PHYSICIST,
)

ACQUISITION = "AcquisitionProtocolElementSequence"
RECONSTRUCTION = "ReconstructionProtocolElementSequence"
BEAM = "CTXRayDetailsSequence"
LINE = "\r\n"
"""What ends a line in a text (PS3.5 6.1.3)."""

Say = Callable[[Text | str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of the console: its attribute, where it stands in the performed protocol, and how words are written."""

    keyword: str
    within: tuple[str, ...]
    unit: str = "1"
    words: Mapping[str, str] | None = None


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "KVP": Setting(keyword="KVP", within=(ACQUISITION, BEAM), unit="kV"),
        "Exposure": Setting(keyword="ExposureInmAs", within=(ACQUISITION, BEAM), unit="mA.s"),
        "SpiralPitchFactor": Setting(keyword="SpiralPitchFactor", within=(ACQUISITION,)),
        "CTDIvol": Setting(keyword="CTDIvol", within=(ACQUISITION,), unit="mGy"),
        "derived.scan_mode": Setting(
            keyword="AcquisitionType", within=(ACQUISITION,), words={"helical": "SPIRAL", "axial": "SEQUENCED"}
        ),
        "SliceThickness": Setting(keyword="SliceThickness", within=(RECONSTRUCTION,), unit="mm"),
        "derived.recon_interval": Setting(keyword="SpacingBetweenSlices", within=(RECONSTRUCTION,), unit="mm"),
        "SpacingBetweenSlices": Setting(keyword="SpacingBetweenSlices", within=(RECONSTRUCTION,), unit="mm"),
        "ReconstructionDiameter": Setting(keyword="ReconstructionDiameter", within=(RECONSTRUCTION,), unit="mm"),
        "ConvolutionKernel": Setting(keyword="ConvolutionKernel", within=(RECONSTRUCTION,)),
        "Rows": Setting(keyword="Rows", within=(RECONSTRUCTION,)),
    }
)
"""The quantities that are settings of the console (C.34.10, C.34.12), in the unit that the standard gives them."""
CONSTRAINTS: Mapping[str, str] = MappingProxyType(
    {
        "<=": "LESS_OR_EQUAL",
        "<": "LESS_THAN",
        ">=": "GREATER_OR_EQUAL",
        ">": "GREATER_THAN",
        "between": "RANGE_INCL",
        "==": "EQUAL",
        "in": "MEMBER_OF",
        "!=": "NOT_MEMBER_OF",
    }
)
"""Operators as constraint types (10.25.1)."""
LEVELS = (Level.REQUIRED, Level.ACCEPTABLE, Level.RECOMMENDED, Level.IDEAL, Level.OPTIONAL)
SIGNIFICANCE: Mapping[Level, str] = MappingProxyType(
    {
        Level.REQUIRED: "FAILURE",
        Level.ACCEPTABLE: "WARNING",
        Level.RECOMMENDED: "WARNING",
        Level.IDEAL: "INFORMATIVE",
        Level.OPTIONAL: "INFORMATIVE",
    }
)
"""What it means when a constraint is broken (10.25.2, C.34.9.3)."""


def write_ct_defined_procedure_protocol(
    path: Path,
    protocol: Protocol,
    *,
    by: str,
    vendor: str | None = None,
    model: str | None = None,
    say: Say = str,
    written_at: datetime | None = None,
) -> str:
    """Write `protocol` as a CT Defined Procedure Protocol; returns the SOP Instance UID.

    Parameters
    ----------
    path : where to write; the file appears whole or not at all.
    protocol : of CT; its roles of other modalities (PET/CT) are left out.
    by : who made the protocol, a name or a role in the department.
    vendor, model : the scanner that it is for; limits that depend on the vendor are constraints only if it is given.
    say : puts the sentences into the language of the operator.
    written_at : date and time of creation, now unless given.

    Raises
    ------
    InputError
        ``outputs.not-a-ct-protocol``, ``outputs.cannot-write``.
    """
    roles = [role for role in protocol.roles if role.modality == "CT"]
    if protocol.modality != "CT" or not roles:
        raise InputError(NOT_A_CT_PROTOCOL, protocol=protocol.id, modality=protocol.modality)
    moment = written_at or datetime.now().astimezone()
    made = _head(protocol, by, moment, say)
    if vendor is not None and model is not None:
        scanner = Dataset()
        scanner.Manufacturer, scanner.ManufacturerModelName = _cut(vendor, 64), _cut(model, 64)
        made.ModelSpecificationSequence = [scanner]
    elements = [_Element(number=n, role=role) for n, role in enumerate(roles, start=1)]
    said = _Said(protocol=protocol, vendor=vendor, say=say)
    made.AcquisitionProtocolElementSpecificationSequence = [_element(one, ACQUISITION, said) for one in elements]
    made.ReconstructionProtocolElementSpecificationSequence = [_element(one, RECONSTRUCTION, said) for one in elements]
    instructions = list(_instructions(said))
    if instructions:
        made.InstructionSequence = instructions
    uid = generate_uid(entropy_srcs=[protocol.model_dump_json(), vendor or "", model or "", by, moment.isoformat()])
    made.SOPInstanceUID = UID(uid)
    made.file_meta.MediaStorageSOPInstanceUID = uid
    save(made, path, moment)
    return str(uid)


@dataclass(frozen=True, slots=True)
class _Element:
    """A role as an element of the protocol."""

    number: int
    role: Role


@dataclass(frozen=True, slots=True)
class _Said:
    """A protocol, for scanners of which vendor, in whose words."""

    protocol: Protocol
    vendor: str | None
    say: Say

    def limit(self, criterion: Criterion) -> Limit | None:
        """The limit for the vendor; None where there is none, or the vendor is not named."""
        return criterion.value if criterion.by_vendor is None else criterion.by_vendor.get(self.vendor or "")

    def constrains(self, criterion: Criterion) -> bool:
        """Whether a criterion asks for a setting of the console."""
        return (
            criterion.scope is Scope.SERIES
            and criterion.attribute in SETTINGS
            and criterion.operator in CONSTRAINTS
            and self.limit(criterion) is not None
        )


def _head(protocol: Protocol, by: str, moment: datetime, say: Say) -> Dataset:
    """Equipment (the one that wrote it, C.7.5.1, C.7.5.2), context (C.34.2) and identity (C.12.1) of the protocol."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = UID(DEFINED_PROTOCOL)
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = DEFINED_PROTOCOL
    made.InstanceCreationDate, made.InstanceCreationTime = moment.strftime("%Y%m%d"), moment.strftime("%H%M%S.%f")
    made.Manufacturer, made.ManufacturerModelName = MANUFACTURER, PRODUCT
    made.DeviceSerialNumber = made.SoftwareVersions = bingcheng.__version__
    made.EquipmentModality = "CT"  # A.82.2.3.1.1
    made.ResponsibleGroupCodeSequence = []
    made.ProtocolName = _cut(say(protocol.title), 64)
    made.ContentCreatorName = _cut(by, 64) or PRODUCT
    made.ProtocolDesignRationale = say(protocol.intent)
    sources = [f"{name}: {source.citation}" for name, source in protocol.sources.items()]
    made.ProtocolPlanningInformation = LINE.join([f"{protocol.id} {protocol.version}", *sources])
    return made


def _element(element: _Element, sequence: str, said: _Said) -> Dataset:
    """The constraints on one acquisition, or on one reconstruction."""
    made = Dataset()
    made.ProtocolElementNumber = element.number
    name = _constraint(Setting(keyword="ProtocolElementName", within=(sequence,)), element.number)
    name.ConstraintType = "EQUAL"
    name.ConstraintValueSequence = [_value("LO", _cut(said.say(element.role.title), 64))]
    name.SpecificationSelectionGuidance = said.say(element.role.remedy)
    constraints = [name]
    if sequence == RECONSTRUCTION:
        source = Setting(keyword="SourceAcquisitionProtocolElementNumber", within=(sequence,))
        made_from = _constraint(source, element.number)
        made_from.ConstraintType = "EQUAL"
        made_from.ConstraintValueSequence = [_value("US", element.number)]
        constraints.append(made_from)
    constraints += [_constrained(criteria, element, said) for criteria in _by_setting(element.role, sequence, said)]
    made.ParametersSpecificationSequence = constraints
    return made


def _by_setting(role: Role, sequence: str, said: _Said) -> Iterator[list[Criterion]]:
    """The criteria of a role that ask for the same setting together, those first that ask most.

    No attribute may be constrained twice (C.34.9): the first becomes the constraint, the others guidance beside it.
    """
    grouped: dict[str, list[Criterion]] = defaultdict(list)
    for one in said.protocol.criteria:
        if role.id in one.roles and said.constrains(one) and SETTINGS[one.attribute].within[0] == sequence:
            grouped[SETTINGS[one.attribute].keyword].append(one)
    for criteria in grouped.values():
        yield sorted(criteria, key=lambda one: (one.trust is Trust.UNVERIFIED, LEVELS.index(one.level), bool(one.when)))


def _constrained(criteria: Sequence[Criterion], element: _Element, said: _Said) -> Dataset:
    first, *others = criteria
    setting, limit = SETTINGS[first.attribute], said.limit(first)
    made = _constraint(setting, element.number)
    made.ConstraintType = CONSTRAINTS[first.operator]
    vr = dictionary_VR(setting.keyword)
    values = limit if isinstance(limit, tuple) else (limit,)
    made.ConstraintValueSequence = [_value(vr, _in_dicom(one, first, setting)) for one in values]
    unverified = first.trust is Trust.UNVERIFIED
    made.ConstraintViolationSignificance = "INFORMATIVE" if unverified else SIGNIFICANCE[first.level]
    if first.when:
        made.ConstraintViolationCondition = "; ".join(said.say(demand_in_words(one)) for one in first.when)
    guidance = [said.say(first.remedy), *(_advice(one, said) for one in others)]
    made.SpecificationSelectionGuidance = LINE.join(guidance)
    return made


def _constraint(setting: Setting, number: int) -> Dataset:
    """What is constrained (10.17, Table 10-20a): the attribute, and the path of sequences and items to it."""
    made = Dataset()
    tag = tag_for_keyword(setting.keyword)
    made.SelectorAttribute = tag
    made.SelectorValueNumber = 1
    made.SelectorAttributeVR = dictionary_VR(setting.keyword)
    made.SelectorSequencePointer = [tag_for_keyword(keyword) for keyword in setting.within]
    made.SelectorSequencePointerItems = [number, *(1 for _ in setting.within[1:])]
    made.SelectorAttributeName = dictionary_description(setting.keyword)
    made.SelectorAttributeKeyword = setting.keyword
    if setting.unit != "1":
        unit = Dataset()
        unit.CodeValue, unit.CodingSchemeDesignator = setting.unit, "UCUM"
        unit.CodeMeaning = UNITS[setting.unit].meaning
        made.MeasurementUnitsCodeSequence = [unit]
    return made


def _value(vr: str, value: str | float) -> Dataset:
    made = Dataset()
    # Decimal strings hold 16 characters (PS3.5 6.2).
    setattr(made, f"Selector{vr}Value", f"{value:.10g}" if vr == "DS" else int(value) if vr == "US" else value)
    return made


def _in_dicom(value: object, criterion: Criterion, setting: Setting) -> str | float:
    """A limit in the attribute's words and unit as the standard has them."""
    if isinstance(value, str):
        return (setting.words or {}).get(value, value)
    assert isinstance(value, int | float)
    if setting.unit == "1":
        return float(value)
    return float(value) * UNITS[criterion.bound.unit].factor / UNITS[setting.unit].factor


def _instructions(said: _Said) -> Iterator[Dataset]:
    """What the protocol asks of an exam beyond the settings of the console (C.34.6)."""
    asked = [
        one
        for one in said.protocol.criteria
        if one.scope in (Scope.SERIES, Scope.EXAM, Scope.PAIR) and not said.constrains(one)
    ]
    for index, one in enumerate(asked, start=1):
        made = Dataset()
        made.InstructionIndex = index
        made.InstructionText = _cut(said.say(demand_in_words(one)), 64)
        made.InstructionDescription = _advice(one, said)
        yield made


def _advice(criterion: Criterion, said: _Said) -> str:
    """A criterion in words: what, for which role, on which condition, what to do, and who says so."""
    say = said.say
    roles = ", ".join(say(said.protocol.role(key).title) for key in criterion.roles)
    lines = [
        say(text("{title} ({roles})", title=Text(criterion.title), roles=roles)) if roles else say(criterion.title),
        f"{say(demand_in_words(criterion))} [{say(text(criterion.level.value))}]",
    ]
    if criterion.when:
        conditions = "; ".join(say(demand_in_words(one)) for one in criterion.when)
        lines.append(say(text("only where: {conditions}", conditions=conditions)))
    return LINE.join([*lines, say(criterion.remedy), said.protocol.citations[criterion.id]])


def _cut(words: str, length: int) -> str:
    """Words as a short string, in which a backslash would part two values (PS3.5 6.2)."""
    plain = " ".join(words.replace("\\", "/").split())
    return plain if len(plain) <= length else f"{plain[: length - 1].rstrip()}…"
