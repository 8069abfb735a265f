"""What a report of findings is about: the header that it inherits patient and study from, and the judged instances."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedSRStorage

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.exam import Series
from bingcheng.dicom.sources import open_dataset
from bingcheng.outputs.source_images import inheritable

NOT_A_REPORT = Problem(
    code="outputs.not-a-conformance-report",
    says="the file is no structured report of protocol findings ({error})",
    remedy="Give a file that Bingcheng wrote as `conformance-….dcm`, or assess the exam again.",
    owner=Owner.OPERATOR,
)


GARBLED = (BytesLengthException, ValueError, TypeError, NotImplementedError, AttributeError, LookupError, struct.error)
"""What pydicom raises for an element whose bytes are not of its value representation."""
HEADER_GROUPS = frozenset((0x0008, 0x0010, 0x0012, 0x0020, 0x0032))
"""Groups of the attributes of patient, clinical trial and study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSeries:
    """A series that was judged, and its instances; at least one."""

    uid: str
    sop_class_uid: str
    instances: tuple[str, ...]

    @property
    def first(self) -> tuple[str, str]:
        """SOP class and instance UID of its first image."""
        return self.sop_class_uid, self.instances[0]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedExam:
    """The exam that was judged.

    Parameters
    ----------
    header : of one of its images, or of an earlier report on it: patient and study are inherited from it.
    series : those that were judged; at least one.
    """

    header: Dataset
    series: tuple[JudgedSeries, ...]

    @staticmethod
    def of_images(series: Sequence[Series]) -> JudgedExam:
        """The exam of these image series; there is at least one.

        Raises
        ------
        InputError
            ``dicom.unreadable``.
        """
        header = open_dataset(series[0].sources[0])
        judged = (JudgedSeries(uid=s.uid, sop_class_uid=s.sop_class_uid, instances=s.sop_instance_uids) for s in series)
        return JudgedExam(header=header, series=tuple(judged))

    @staticmethod
    def of_report(path: Path) -> JudgedExam:
        """The exam that an earlier report is about.

        Raises
        ------
        InputError
            ``outputs.not-a-conformance-report``.
        """
        report = report_at(path)
        found = tuple(
            JudgedSeries(
                uid=str(series.SeriesInstanceUID),
                sop_class_uid=str(series.ReferencedSOPSequence[0].ReferencedSOPClassUID),
                instances=tuple(str(one.ReferencedSOPInstanceUID) for one in series.ReferencedSOPSequence),
            )
            for study in report.CurrentRequestedProcedureEvidenceSequence
            for series in study.ReferencedSeriesSequence
        )
        return JudgedExam(header=report, series=found)

    @property
    def study_uid(self) -> str:
        """UID of the study."""
        return str(self.header.StudyInstanceUID)

    def references(self) -> list[Dataset]:
        """One dataset a series as highdicom asks for: the first of them is where patient and study come from."""
        completed = [self._inherited()]
        for one in self.series:
            image = Dataset()
            image.StudyInstanceUID, image.SeriesInstanceUID = self.study_uid, one.uid
            image.SOPClassUID, image.SOPInstanceUID = one.first
            completed.append(image)
        return completed

    def evidence(self) -> Dataset:
        """All judged instances, as an item of the Current Requested Procedure Evidence Sequence (PS3.3 C.17.2.3)."""
        study = Dataset()
        study.ReferencedSeriesSequence = Items(_series_item(one) for one in self.series)
        study.StudyInstanceUID = self.study_uid
        return study

    def _inherited(self) -> Dataset:
        """The header in the characters of the report, standing for the first of the images."""
        inherited = Dataset()
        for tag in self.header.keys():  # noqa: SIM118 - iterating the dataset itself would read every element
            # Private elements are nothing that a report inherits; one that is garbled is left out like an absent one.
            if tag.group in HEADER_GROUPS:
                with suppress(*GARBLED):
                    inherited.add(_in_report_characters(self.header[tag]))
        inheritable(inherited)
        inherited.SeriesInstanceUID = self.series[0].uid
        inherited.SOPClassUID, inherited.SOPInstanceUID = self.series[0].first
        return inherited


def _in_report_characters(element: DataElement) -> DataElement:
    """The element with a name as plain characters, so that it is encoded anew."""
    named = element.VR == "PN" and bool(element.value)
    return DataElement(element.tag, element.VR, str(element.value) if named else element.value)


def report_at(path: Path) -> Dataset:
    """The dataset of a report of findings.

    Raises
    ------
    InputError
        ``outputs.not-a-conformance-report``.
    """
    try:
        report = pydicom.dcmread(path)
    except (OSError, InvalidDicomError) as error:
        raise InputError(NOT_A_REPORT, error=type(error).__name__) from error
    if report.get("SOPClassUID") != EnhancedSRStorage or "CurrentRequestedProcedureEvidenceSequence" not in report:
        raise InputError(NOT_A_REPORT, error="SOP class")
    return report


def _series_item(series: JudgedSeries) -> Dataset:
    item = Dataset()
    instances = []
    for uid in series.instances:
        instance = Dataset()
        instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = series.sop_class_uid, uid
        instances.append(instance)
    item.ReferencedSOPSequence = Items(instances)
    item.SeriesInstanceUID = series.uid
    return item
