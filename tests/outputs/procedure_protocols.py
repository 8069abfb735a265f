"""Procedure protocol objects, and what PS3.3 asks of them by the tables that highdicom carries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset, FileMetaDataset
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
