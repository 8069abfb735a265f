"""The content of a report of findings (PS3.16 TID 1500): the exam, each protocol, and each criterion in a group.

Content items are plain datasets made here: a report holds a thousand and more of them, and highdicom's classes, which
copy and check each one several times, take seconds for as many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import generate_uid

from bingcheng.core.codes import Code
from bingcheng.core.finding import Finding, Level, Outcome
from bingcheng.core.wording import Text
from bingcheng.outputs import conformance_codes as codes
from bingcheng.outputs.codes import unit_code
from bingcheng.outputs.language import Language
from bingcheng.outputs.seg import MANUFACTURER, PRODUCT
from bingcheng.protocol.model import Protocol

CONTAINS, PROPERTY = "CONTAINS", "HAS PROPERTIES"
CONTEXT, MODIFIER = "HAS OBS CONTEXT", "HAS CONCEPT MOD"
REPORT = Code("126000", "DCM", "Imaging Measurement Report")
IMAGING_MEASUREMENTS = Code("126010", "DCM", "Imaging Measurements")
QUALITATIVE_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")
MEASUREMENT_GROUP = Code("125007", "DCM", "Measurement Group")
TRACKING_IDENTIFIER = Code("112039", "DCM", "Tracking Identifier")
TRACKING_UID = Code("112040", "DCM", "Tracking Unique Identifier")
FINDING = Code("121071", "DCM", "Finding")
SERIES_UID = Code("112002", "DCM", "Series Instance UID")
SOURCE_OF_MEASUREMENT = Code("121112", "DCM", "Source of Measurement")
IMAGE_LIBRARY = Code("111028", "DCM", "Image Library")
IMAGE_LIBRARY_GROUP = Code("126200", "DCM", "Image Library Group")
IMAGE_OF_SERIES = Code("260753009", "SCT", "Source")
LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")
OBSERVER_TYPE, DEVICE = Code("121005", "DCM", "Observer Type"), Code("121007", "DCM", "Device")
DEVICE_UID = Code("121012", "DCM", "Device Observer UID")
DEVICE_NAME = Code("121013", "DCM", "Device Observer Name")
DEVICE_MANUFACTURER = Code("121014", "DCM", "Device Observer Manufacturer")
DEVICE_MODEL = Code("121015", "DCM", "Device Observer Model Name")
PROCEDURE_REPORTED = Code("121058", "DCM", "Procedure reported")
LANGUAGE_NAMES = MappingProxyType({"en": "English", "zh": "Chinese (China)"})
LONGEST_CODE = 16
"""The characters of a short code value (PS3.3 Table 8.8-1a); longer ones are long code values."""

ImageOf = Mapping[str, tuple[str, str]]
"""SOP class and instance UID of one image of each series, by the series' UID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is reported: the findings on one exam, and how they are said.

    Parameters
    ----------
    study_uid : of the exam.
    findings : all of them.
    protocols : those that they are about, by identifier; one that is absent is told by its identifier alone.
    shipped : identifiers of the library's protocols; others are the institution's own.
    images : an image of each series that was judged.
    language : of the sentences.
    """

    study_uid: str
    findings: Sequence[Finding]
    protocols: Mapping[str, Protocol]
    shipped: frozenset[str]
    images: ImageOf
    language: Language

    def standard(self, protocol: str, title: Text | None) -> Code:
        """The protocol as a quality control standard."""
        if protocol in codes.STANDARDS:
            return codes.STANDARDS[protocol]
        if protocol not in self.shipped:
            return codes.INSTITUTIONAL_STANDARD
        return codes.own(protocol, protocol if title is None else str(title))


def preamble(procedure: Code, language: Language, version: str) -> Iterator[Dataset]:
    """Language (TID 1204), the program as observer (TID 1002 and 1004), and the procedure that is reported."""
    yield _code(LANGUAGE, Code(language.tag, "RFC5646", LANGUAGE_NAMES[language.code]), MODIFIER)
    yield _code(OBSERVER_TYPE, DEVICE, CONTEXT)
    yield _uid(DEVICE_UID, generate_uid(entropy_srcs=[PRODUCT, version]), CONTEXT)
    yield _text(DEVICE_NAME, PRODUCT, CONTEXT)
    yield _text(DEVICE_MANUFACTURER, MANUFACTURER, CONTEXT)
    yield _text(DEVICE_MODEL, f"{PRODUCT} {version}", CONTEXT)
    yield _code(PROCEDURE_REPORTED, procedure, MODIFIER)


def sections(judged: Judged) -> Iterator[Dataset]:
    """The report's sections: the images, the group of each criterion, the answers on the exam and on each protocol."""
    yield _image_library(judged.images)
    groups = [_group(finding, judged) for finding in judged.findings]
    if groups:
        yield container(IMAGING_MEASUREMENTS, groups)
    yield container(QUALITATIVE_EVALUATIONS, _evaluations(judged))


def assessment(findings: Iterable[Finding]) -> Code:
    """Whether a protocol is met as far as it gates: what is not known is not met, and not failed either."""
    stopping = {finding.outcome for finding in findings if finding.gates}
    if Outcome.FAIL in stopping:
        return codes.FAILS_THE_STANDARD
    return codes.UNDETERMINED if stopping else codes.MEETS_THE_STANDARD


def coded(code: Code) -> Dataset:
    """A code as an item of a code sequence (PS3.3 8.8)."""
    item = Dataset()
    if len(code.value) > LONGEST_CODE:
        item.LongCodeValue = code.value
    else:
        item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme
    item.CodeMeaning = code.meaning[: codes.LONGEST_MEANING]
    return item


def container(name: Code, content: Iterable[Dataset], template: str | None = None) -> Dataset:
    """A container below the root."""
    item = _item("CONTAINER", name, CONTAINS)
    item.ContinuityOfContent = "SEPARATE"
    if template is not None:
        which = Dataset()
        which.MappingResource, which.TemplateIdentifier = "DCMR", template
        item.ContentTemplateSequence = Items([which])
    item.ContentSequence = Items(content)
    return item


def _item(kind: str, name: Code, relationship: str) -> Dataset:
    item = Dataset()
    item.RelationshipType = relationship
    item.ValueType = kind
    item.ConceptNameCodeSequence = Items([coded(name)])
    return item


def _code(name: Code, value: Code, relationship: str = CONTAINS) -> Dataset:
    item = _item("CODE", name, relationship)
    item.ConceptCodeSequence = Items([coded(value)])
    return item


def _text(name: Code, value: str, relationship: str = CONTAINS) -> Dataset:
    item = _item("TEXT", name, relationship)
    item.TextValue = value
    return item


def _uid(name: Code, value: str, relationship: str = CONTAINS) -> Dataset:
    item = _item("UIDREF", name, relationship)
    item.UID = value
    return item


def _number(name: Code, value: float, unit: str) -> Dataset:
    item = _item("NUM", name, CONTAINS)
    measured = Dataset()
    # As many digits as a decimal string of 16 characters holds (PS3.5 6.2), and the value itself beside them.
    measured.NumericValue = f"{value:.9g}"
    measured.FloatingPointValue = value
    measured.MeasurementUnitsCodeSequence = Items([coded(unit_code(unit))])
    item.MeasuredValueSequence = Items([measured])
    return item


def _image(name: Code, image: tuple[str, str]) -> Dataset:
    item = _item("IMAGE", name, CONTAINS)
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image
    item.ReferencedSOPSequence = Items([reference])
    return item


def _image_library(images: ImageOf) -> Dataset:
    """One image of each judged series (TID 1600); the evidence lists all of them."""
    group = container(IMAGE_LIBRARY_GROUP, [_image(IMAGE_OF_SERIES, one) for one in images.values()])
    return container(IMAGE_LIBRARY, [group], template="1600")


def _evaluations(judged: Judged) -> Iterator[Dataset]:
    """The answer on the exam, then the answer on each protocol."""
    stopped = any(finding.gates for finding in judged.findings)
    yield _code(codes.GATE, codes.YES if stopped else codes.NO)
    for protocol, found in groupby(judged.findings, key=lambda finding: finding.protocol):
        findings = tuple(found)
        title = findings[0].protocol_title
        answer = _code(codes.QUALITY_ASSESSMENT, assessment(findings))
        named = protocol if title is None else judged.language.say(title)
        standard = judged.standard(protocol, title)
        properties = [
            _code(codes.QUALITY_CONTROL_STANDARD, standard, PROPERTY),
            _text(TRACKING_IDENTIFIER, protocol, PROPERTY),
            _text(codes.PROTOCOL_TITLE, named, PROPERTY),
        ]
        if protocol in judged.protocols:
            properties.append(_text(codes.VERSION, judged.protocols[protocol].version, PROPERTY))
        answer.ContentSequence = Items(properties)
        yield answer


def _group(finding: Finding, judged: Judged) -> Dataset:
    """One criterion (TID 1501): what it is about, whether it is met, what was measured, and the sentences on it."""
    named = "/".join(part for part in (finding.protocol, finding.criterion, finding.role) if part)
    about = finding.series_uid or judged.study_uid
    content = [
        _text(TRACKING_IDENTIFIER, named, CONTEXT),
        _uid(TRACKING_UID, generate_uid(entropy_srcs=["conformance", about, named]), CONTEXT),
        _code(FINDING, codes.own(finding.criterion, str(finding.title))),
    ]
    if finding.series_uid is not None:
        content.append(_uid(SERIES_UID, finding.series_uid))
        if finding.series_uid in judged.images:
            content.append(_image(SOURCE_OF_MEASUREMENT, judged.images[finding.series_uid]))
    unit = finding.unit or "1"  # a criterion without a unit is one on a plain number
    if finding.value is not None:
        content.append(_number(codes.VALUE, finding.value, unit))
    if finding.distance is not None:
        content.append(_number(codes.BEYOND, finding.distance, unit))
    content.append(_code(codes.CRITERION_MET, codes.OUTCOMES[finding.outcome]))
    content.append(_code(codes.LEVEL, codes.LEVELS[finding.level]))
    content.append(_code(codes.TRUST, codes.TRUSTS[finding.trust]))
    deficiency = _deficiency(finding, judged.protocols.get(finding.protocol))
    if deficiency is not None:
        content.append(_code(codes.QUALITY_FINDING, deficiency))
    content.extend(_sentences(finding, judged.language))
    return container(MEASUREMENT_GROUP, content, template="1501")


def _sentences(finding: Finding, language: Language) -> Iterator[Dataset]:
    """What people read; what stands in codes and numbers already is not said again."""
    title, measured = language.say(finding.title), finding.measured
    said: tuple[tuple[Code, str | Text | None], ...] = (
        (codes.TITLE, None if title == str(finding.title)[: codes.LONGEST_MEANING] else title),
        (codes.LESION, finding.lesion),
        (codes.MEASURED, measured if finding.value is None else None),
        (codes.LIMIT, finding.limit),
        (codes.REASON, finding.reason),
        (codes.REMEDY, finding.remedy),
        (codes.OWNER, None if finding.owner is None else finding.owner.value),
        (codes.SOURCE, finding.source or None),
    )
    for name, words in said:
        if words is not None:
            yield _text(name, language.say(words) if isinstance(words, Text) else words)


def _deficiency(finding: Finding, protocol: Protocol | None) -> Code | None:
    """What kind of deficiency a failure is; None where there is none."""
    if finding.outcome is not Outcome.FAIL:
        return None
    if finding.criterion.startswith("role."):
        return _absence(finding, protocol)
    criterion = None if protocol is None else next((c for c in protocol.criteria if c.id == finding.criterion), None)
    return (
        codes.PROTOCOL_NOT_FOLLOWED
        if criterion is None
        else codes.QUALITY_FINDINGS.get(criterion.attribute, codes.PROTOCOL_NOT_FOLLOWED)
    )


def _absence(finding: Finding, protocol: Protocol | None) -> Code:
    """What is missing: an ADC map where the role is recognised by being one, else a part of the study."""
    role = None if protocol is None else next((r for r in protocol.roles if r.id == finding.role), None)
    wanted = () if role is None else tuple((one.attribute, one.value) for one in role.select)
    if ("derived.content", "adc_map") in wanted or ("derived.is_adc_map", True) in wanted:
        return codes.ADC_MAP_MISSING
    return codes.INCOMPLETE_STUDY if finding.level is Level.REQUIRED else codes.PROTOCOL_NOT_FOLLOWED
