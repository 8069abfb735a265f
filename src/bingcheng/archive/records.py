"""What is stored of one exam: everything that an assessment is made of, free of pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bingcheng.compare.dose_record import DoseRecord
from bingcheng.core.finding import Finding
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal
from bingcheng.dicom.acquisition import Acquisition, CtAcquisition, MrAcquisition, PetAcquisition
from bingcheng.dicom.exam import Patient
from bingcheng.outputs.picture import KeyImage
from bingcheng.outputs.radiomics.feature_set import FeatureSet

ACQUISITION_TYPES: dict[str, type[Acquisition]] = {"CT": CtAcquisition, "MR": MrAcquisition, "PT": PetAcquisition}


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionRecord:
    """One lesion in one series, as measured.

    Parameters
    ----------
    lesion : its tracking identifier within the patient.
    radiomics : one entry an image type; empty if nobody asked.
    """

    lesion: str
    label: str
    method: str
    measurements: tuple[Measurement, ...]
    image: KeyImage | None = None
    radiomics: tuple[FeatureSet, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRecord:
    """One image series, as acquired and measured. `volume_count` counts its volumes (b-values, phases)."""

    uid: str
    acquisition: Acquisition
    measurements: tuple[Measurement, ...]
    lesions: tuple[LesionRecord, ...]
    volume_count: int
    voxel_mm3: float | None = None
    image: KeyImage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRecord:
    """One exam, as assessed.

    Parameters
    ----------
    fingerprint : of the instances and of the methods; the same means that nothing has to be done again.
    patient : identity as the hospital wrote it; stored apart from everything else.
    site : hospital; empty if the header does not name one.
    doses : of CT, one for each phantom that they refer to; what they are compared with is no part of the exam.
    """

    uid: str
    fingerprint: str
    patient: Patient
    site: str
    performed_at: datetime | None
    description: str
    series: tuple[SeriesRecord, ...]
    refusals: tuple[Refusal, ...]
    findings: tuple[Finding, ...] = field(default=())
    doses: tuple[DoseRecord, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredValue:
    """One value as it is stored: of a series, or of a lesion (by name and label) in it."""

    series_uid: str
    lesion: str | None
    label: str | None
    key: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamFacts:
    """What an exam is judged by, as it is stored.

    Parameters
    ----------
    patient : pseudonym.
    site : hospital; empty if it is not named.
    acquisitions : modality and stored facts of each series.
    measured_on : UIDs of the series on which a lesion was measured.
    values : what was measured, of the measures that were asked for.
    judged : digest of what its stored findings were judged from; None if it was never judged.
    """

    uid: str
    patient: str
    site: str
    performed_at: datetime | None
    acquisitions: tuple[tuple[str, str], ...]
    measured_on: tuple[str, ...]
    values: tuple[StoredValue, ...]
    judged: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The findings on one exam, and a digest of what they were judged from."""

    digest: str
    findings: tuple[Finding, ...]
