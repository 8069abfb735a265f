"""What a search finds: one row a study, a series or an instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Value = str | int
"""Text as DICOM writes it (several values joined by backslashes), decoded; whole numbers as int."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """A stored study.

    Parameters
    ----------
    attributes : by DICOM keyword, of patient and study, with ModalitiesInStudy, NumberOfStudyRelatedSeries and
        NumberOfStudyRelatedInstances. What the objects leave empty is absent.
    size : bytes of its files.
    revision : raised with each change of the study.
    patient_differs : whether its objects name different patients; the attributes are those of the first received.
    """

    space: str
    study_uid: str
    attributes: Mapping[str, Value]
    size: int
    received_at: datetime
    changed_at: datetime
    revision: int
    patient_differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRow:
    """A stored series; its attributes include its study's, and NumberOfSeriesRelatedInstances."""

    space: str
    study_uid: str
    series_uid: str
    attributes: Mapping[str, Value]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRow:
    """A stored instance as a search tells it; its attributes include those of its series and study."""

    space: str
    study_uid: str
    series_uid: str
    sop_uid: str
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How much is stored in one space."""

    space: str
    studies: int
    series: int
    instances: int
    size: int
    conflicts: int
