"""Procedure protocol objects, and what PS3.3 asks of them by the tables that highdicom carries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from pydicom.datadict import dictionary_description, dictionary_VM, dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

PERFORMED = "1.2.840.10008.5.1.4.1.1.200.2"
ALWAYS_ALLOWED = {"SpecificCharacterSet"}


def complaints_of(dataset: Dataset) -> list[str]:
    """Attributes that are missing, empty, or not of the object, each with its place."""
    modules = get_iod_module_map()[get_sop_class_iod_map()[str(dataset.SOPClassUID)]]
    attributes = get_module_attribute_map()
    allowed: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for module in modules:
        present = module["usage"] == "M" or any(
            not one["path"] and one["type"] == "1" and one["keyword"] in dataset for one in attributes[module["key"]]
        )
        for one in attributes[module["key"]]:
            if present:
                strictest = min(one["type"], allowed[tuple(one["path"])].get(one["keyword"], "3"))
                allowed[tuple(one["path"])][one["keyword"]] = strictest
    return list(_complaints(dataset, (), allowed))


def _complaints(dataset: Dataset, path: tuple[str, ...], allowed: dict) -> Iterator[str]:
    where = ".".join(path) or "top"
    for keyword, kind in allowed[path].items():
        if kind in ("1", "2") and keyword not in dataset:
            yield f"{where}: {keyword} (type {kind}) is missing"
        elif kind == "1" and dataset[keyword].is_empty:
            yield f"{where}: {keyword} (type 1) is empty"
    for element in dataset:
        keyword = keyword_for_tag(element.tag)
        if keyword not in allowed[path] and keyword not in ALWAYS_ALLOWED:
            yield f"{where}: {keyword} is no attribute of this object"
        elif element.VR == "SQ":
            for item in element.value:
                yield from _complaints(item, (*path, keyword), allowed)


# Conditional attributes. PS3.3 tables: 8.8-1 (codes), 10-20 and 10-20a (which attribute), 10.25-1 (constraint),
# 10.26-1 (value). The macro of constraints is the same in all objects that have it.

CONSTRAINED = ("ParametersSpecificationSequence", "PatientSpecificationSequence")
ONE_VALUE = {"GREATER_OR_EQUAL", "LESS_OR_EQUAL", "GREATER_THAN", "LESS_THAN", "EQUAL", "MEMBER_OF_CID"}
RANGES = {"RANGE_INCL", "RANGE_EXCL"}
Rule = Callable[[Dataset], bool]


def _nested(one: Dataset) -> bool:
    return "SelectorSequencePointer" in one


def _count(one: Dataset) -> int:
    return len(one.get("ConstraintValueSequence", ()))


def _fits_type(one: Dataset) -> bool:
    if one.ConstraintType in ONE_VALUE:
        return _count(one) == 1
    if one.ConstraintType in RANGES:
        name = f"Selector{one.SelectorAttributeVR}Value"
        low, *rest = (item[name].value for item in one.ConstraintValueSequence)
        return len(rest) == 1 and low <= rest[0]
    return _count(one) >= 1


def _values_of_vr(one: Dataset) -> bool:
    wanted = {f"Selector{one.SelectorAttributeVR}Value"}
    return all(
        {keyword_for_tag(e.tag) for e in item} == wanted and not item[next(iter(wanted))].is_empty
        for item in one.get("ConstraintValueSequence", ())
    )


def _within(one: Dataset) -> tuple[int, ...]:
    pointer = one.get("SelectorSequencePointer")
    return () if pointer is None else tuple(pointer) if isinstance(pointer, MultiValue | list) else (pointer,)


def _items(one: Dataset) -> tuple[int, ...]:
    items = one.get("SelectorSequencePointerItems")
    return () if items is None else tuple(items) if isinstance(items, MultiValue | list) else (items,)


CONDITIONS: dict[str, tuple[str, Rule]] = {
    "SelectorAttribute": ("10-20: an attribute is selected, no item", lambda one: "SelectorAttribute" in one),
    "SelectorValueNumber": (
        "10-20: required of an attribute that is no sequence; 1 where it has one value",
        lambda one: (
            "SelectorValueNumber" in one
            and (dictionary_VM(one.SelectorAttribute) != "1" or one.SelectorValueNumber == 1)
        ),
    ),
    "SelectorSequencePointer": (
        "10-20: required of what is nested; each of its values is a sequence",
        lambda one: _nested(one) and all(dictionary_VR(tag) == "SQ" for tag in _within(one)),
    ),
    "SelectorSequencePointerItems": (
        "10-20: required with the pointer, with as many values",
        lambda one: len(_items(one)) == len(_within(one)),
    ),
    "SelectorAttributePrivateCreator": (
        "10-20: required of a private attribute, and of no other",
        lambda one: "SelectorAttributePrivateCreator" not in one and not Tag(one.SelectorAttribute).is_private,
    ),
    "SelectorSequencePointerPrivateCreator": (
        "10-20: required of a private sequence, and of no other",
        lambda one: "SelectorSequencePointerPrivateCreator" not in one,
    ),
    "SelectorAttributeVR": (
        "10-20a: as the data dictionary has it",
        lambda one: one.SelectorAttributeVR == dictionary_VR(one.SelectorAttribute),
    ),
    "SelectorAttributeName": (
        "10-20a: as the data dictionary has it",
        lambda one: one.SelectorAttributeName == dictionary_description(one.SelectorAttribute),
    ),
    "SelectorAttributeKeyword": (
        "10-20a: as the data dictionary has it",
        lambda one: one.SelectorAttributeKeyword == keyword_for_tag(one.SelectorAttribute),
    ),
    "ConstraintValueSequence": (
        "10.25-1: required unless the constraint is UNCONSTRAINED; one, two ascending or more items by its type",
        lambda one: _count(one) == 0 if one.ConstraintType == "UNCONSTRAINED" else _fits_type(one),
    ),
    "Selector..Value": ("10.26-1: the value of the attribute's representation, and of no other", _values_of_vr),
    "ConstraintViolationCondition": (
        "10.25-1: a condition of the significance, so that there is one",
        lambda one: "ConstraintViolationCondition" not in one or "ConstraintViolationSignificance" in one,
    ),
}
"""Of each conditional attribute of a constraint where the condition stands, and whether a constraint keeps to it."""


def conditional_complaints(dataset: Dataset) -> list[str]:
    """Conditional attributes that are missing, or present against their condition, each with its place."""
    found = [
        f"{keyword}: {says} ({one.get('SelectorAttributeKeyword')})"
        for one in constraints_in(dataset)
        for keyword, (says, kept) in CONDITIONS.items()
        if not kept(one)
    ]
    for code in codes_in(dataset):
        values = [name for name in ("CodeValue", "LongCodeValue", "URNCodeValue") if name in code]
        if len(values) != 1 or ("URNCodeValue" not in code and "CodingSchemeDesignator" not in code):
            found.append(f"8.8-1: a code has one kind of value, and a scheme unless it is a URN ({values})")
    return found


def constraints_in(dataset: Dataset) -> Iterator[Dataset]:
    """All constraints, wherever they stand."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                if element.keyword in CONSTRAINED:
                    yield item
                else:
                    yield from constraints_in(item)


def codes_in(dataset: Dataset) -> Iterator[Dataset]:
    """All items that are codes."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                if "CodeMeaning" in item:
                    yield item
                else:
                    yield from codes_in(item)


def element(number: int, name: str, **values: object) -> Dataset:
    made = Dataset()
    made.ProtocolElementNumber, made.ProtocolElementName = number, name
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def acquisition(number: int, name: str, *, kvp: float = 120.0, mas: float = 240.0, **values: object) -> Dataset:
    beam = Dataset()
    beam.KVP, beam.ExposureInmAs, beam.BeamNumber, beam.XRayTubeCurrentInmA = kvp, mas, 1, 400.0
    beam.ExposureModulationType = "NONE"
    made = {
        "AcquisitionType": "SPIRAL",
        "RevolutionTime": 0.5,
        "SpiralPitchFactor": 0.9,
        "TotalCollimationWidth": 38.4,
        "SingleCollimationWidth": 0.6,
        "CTDIvol": 9.5,
        "CTXRayDetailsSequence": [beam],
    }
    return element(number, name, **(made | values))


def reconstruction(number: int, name: str, source: int, **values: object) -> Dataset:
    made = {
        "SourceAcquisitionProtocolElementNumber": source,
        "SourceAcquisitionBeamNumber": 1,
        "SliceThickness": 2.5,
        "SpacingBetweenSlices": 2.5,
        "ReconstructionDiameter": 380.0,
        "ConvolutionKernel": "B30f",
        "Rows": 512,
        "Columns": 512,
        "ReconstructionPixelSpacing": [0.742, 0.742],
    }
    return element(number, name, **(made | values))


def performed(path: Path, acquisitions: list[Dataset], reconstructions: list[Dataset]) -> Path:
    """A CT Performed Procedure Protocol of a scanner."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = PERFORMED, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "CTPROTOCOL", "SIEMENS", "Force"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "4711", "VB20"
    dataset.PatientName, dataset.PatientID, dataset.PatientWeight = "Secret^Person", "S-1", 70
    dataset.StudyDate, dataset.StudyTime = "20260302", "090000"
    dataset.AcquisitionProtocolElementSequence = acquisitions
    dataset.ReconstructionProtocolElementSequence = reconstructions
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = PERFORMED
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path
