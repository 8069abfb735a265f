"""What an assessment says, free of any format: the one object that every output renders.

No patient identifier stands in it unless the person asked for identified output (`identified`): patients are
pseudonyms, exams are short labels, dates are days since the patient's first exam.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from bingcheng.compare.dose_overview import DoseOverview
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.compare.lesions import LesionChange
from bingcheng.compare.response_missing import WithoutResponse
from bingcheng.compare.response_reading import PatientResponse
from bingcheng.core.finding import Finding
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Text
from bingcheng.outputs.picture import KeyImage
from bingcheng.outputs.radiomics.feature_set import FeatureCohort, FeatureSet
from bingcheng.quantify.lesion.matching import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionView:
    """One lesion in one series.

    Parameters
    ----------
    lesion : its name within the exam.
    radiomics : one entry an image type, and none if nobody asked.
    track : what it is called over all exams, where exams were matched; empty where that is its name.
    """

    lesion: str
    label: str
    series_uid: str
    measurements: tuple[Measurement, ...]
    method: str
    image: KeyImage | None = None
    radiomics: tuple[FeatureSet, ...] = ()
    track: str = ""

    @property
    def followed_as(self) -> str:
        """What the lesion is called over all exams of its patient."""
        return self.track or self.lesion


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesView:
    """One image series: what was acquired, how good it is, what was measured in it.

    `device` ends with ``#?`` if no serial number is recorded, and is empty if nothing of the scanner is.
    """

    uid: str
    modality: str
    description: str
    device: str
    facts: tuple[tuple[Text, Text], ...]
    measurements: tuple[Measurement, ...]
    lesions: tuple[LesionView, ...]
    image: KeyImage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamView:
    """One exam.

    `label` is short and unique in the assessment (``E03``): a number in the order of hospitals, patients' first visits
    and time, the same in every workspace that holds the same exams. `day` counts from the patient's first exam.
    """

    uid: str
    label: str
    patient: str
    site: str
    day: int | None
    performed_on: date | None
    description: str
    series: tuple[SeriesView, ...]
    findings: tuple[Finding, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """What became of lesions between two exams.

    Parameters
    ----------
    link : kind, names of the lesions, confidence, whether a reader has to look, and why.
    before, after : labels of the lesions, in the order of their names in `link`.
    by, why : of a link that a person decided: who, and the reason given.
    """

    link: Link
    before: tuple[str, ...]
    after: tuple[str, ...]
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedExams:
    """Two exams of a patient whose lesions were matched by their images or by a person.

    Parameters
    ----------
    earlier, later : labels of the exams; with `earlier_uid` and `later_uid` the same exams by their UIDs.
    modality : in which; empty for what only names and a person say.
    links : every lesion stands in exactly one; with an empty modality, only those that were decided.
    contradictions : what identifiers say against what the images show.
    """

    patient: str
    earlier: str
    later: str
    earlier_uid: str
    later_uid: str
    modality: str
    links: tuple[LinkView, ...]
    contradictions: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """A hospital: how many exams, how they conformed."""

    site: str
    devices: tuple[str, ...]
    exam_count: int
    outcomes: Mapping[str, int] = field(default_factory=dict)
    top_failures: tuple[tuple[Text, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Everything that a report shows."""

    version: str
    identified: bool
    sites: tuple[SiteView, ...]
    exams: tuple[ExamView, ...]
    changes: tuple[LesionChange, ...]
    comparison: tuple[SiteRow, ...]
    refusals: tuple[Refusal, ...]
    """Refusals that belong to no exam: files that could not be read at all."""
    dose: DoseOverview | None = None
    """The CT doses of all exams beside reference levels; None if no exam is of CT."""
    radiomics: tuple[FeatureCohort, ...] = ()
    """How robust radiomics features are over all lesions; empty if nobody asked for them."""
    follow_up: tuple[MatchedExams, ...] = ()
    """How lesions were matched between exams; empty where names pair all of them."""
    responses: tuple[PatientResponse, ...] = ()
    """RECIST 1.1 as calculated over each patient's exams, for a reader to check."""
    without_response: tuple[WithoutResponse, ...] = ()
    """Patients with a lesion for whom it is not calculated, and why."""
