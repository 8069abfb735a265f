"""A study as an assessment would tell it: three hospitals, twelve exams, six patients, every kind of verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
from tests.compare.dose_records import record as dose_record

from bingcheng.compare.change import Change, Verdict
from bingcheng.compare.dose_groups import BodyRegion, Procedure
from bingcheng.compare.dose_overview import DoseOverview, dose_overview
from bingcheng.compare.dose_published import dose_rules
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.compare.lesions import LesionChange
from bingcheng.compare.observation import Observation
from bingcheng.core.errors import Owner
from bingcheng.core.finding import Finding, Level, Outcome, Trust
from bingcheng.core.measurement import Measurement, NoValue
from bingcheng.core.provenance import Provenance
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text, text
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.assessment import Assessment, ExamView, LesionView, SeriesView, SiteView
from bingcheng.outputs.keyimage import key_image
from bingcheng.outputs.picture import KeyImage

SITES = ("Songhua Tumour Hospital", "Mudan Central Hospital", "Nenjiang University Hospital")
CT_DEVICES = ("SIEMENS Definition AS · 7f3a", "GE Revolution EVO · 12c9", "UIH uCT 780 · e04b")
MR_DEVICES = ("PHILIPS Ingenia 3.0T · 90aa", "SIEMENS Skyra · 5be1", "UIH uMR 790 · 33d0")
BEGAN = datetime(2025, 3, 4, 9, 30, tzinfo=UTC)
RNG_SEED = 20261124


def body(
    spacing_mm: tuple[float, float, float], size: tuple[int, int, int], lesion_mm: float, unit: str, *, seed: int
) -> tuple[Volume, Region]:
    """A cross-section with fat, muscle, two lungs, a spine and one round lesion, at about 0.5 seconds' accuracy."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.arange(n) for n in size), indexing="ij", sparse=True)
    z_mm, y_mm, x_mm = ((a - (n - 1) / 2) * s for a, n, s in zip((z, y, x), size, spacing_mm, strict=True))

    def ellipse(cx: float, cy: float, a: float, b: float) -> np.ndarray:
        return ((x_mm - cx) / a) ** 2 + ((y_mm - cy) / b) ** 2 + 0 * z_mm < 1

    image = np.full(size, -1000.0, dtype=np.float32)
    for mask, hu in (
        (ellipse(0, 0, 165, 115), -95.0),
        (ellipse(0, 0, 152, 102), 55.0),
        (ellipse(75, -15, 52, 68), -850.0),
        (ellipse(-75, -15, 52, 68), -850.0),
        (ellipse(0, 72, 17, 19), 260.0),
        (ellipse(5, -5, 13, 13), 130.0),
    ):
        image[mask] = hu
    centre = (0.0, -45.0, 70.0) if lesion_mm < 30 else (0.0, 20.0, 20.0)
    radius = lesion_mm / 2
    distance = np.sqrt((z_mm - centre[0]) ** 2 + (y_mm - centre[1]) ** 2 + (x_mm - centre[2]) ** 2)
    lesion = distance < radius * (1 + 0.12 * np.cos(3 * np.arctan2(y_mm - centre[1], x_mm - centre[2])))
    image[lesion] = 45.0
    if unit == "g/ml":
        image = np.where(lesion, 8.5, np.where(image > 30, 1.4, np.where(image > -700, 0.6, 0.3))).astype(np.float32)
        image += rng.normal(0, 0.12, size).astype(np.float32)
    elif unit == "{arbitrary}":
        image = np.where(lesion, 620, np.where(image > 30, 310, np.where(image > -500, 180, 25))).astype(np.float32)
        image = np.abs(image + rng.normal(0, 14, size).astype(np.float32))
    else:
        image += rng.normal(0, 14, size).astype(np.float32)
    grid = VolumeGeometry(shape=size, spacing_mm=spacing_mm)
    region = Region.of(lesion, grid, label="Lesion 1", tracking_uid="1.2.3", method="manual")
    return Volume(voxels=image, geometry=grid, unit=unit), region


def pictures() -> dict[str, tuple[KeyImage, KeyImage]]:
    """For CT, MR and PT: the lesion before and after."""
    made = {}
    for modality, unit, spacing, size, sizes_mm in (
        ("CT", "[hnsf'U]", (5.0, 0.9, 0.9), (9, 400, 400), (22.0, 27.0)),
        ("MR", "{arbitrary}", (5.0, 1.6, 1.6), (9, 230, 230), (34.0, 33.0)),
        ("PT", "g/ml", (4.0, 4.0, 4.0), (11, 96, 96), (36.0, 31.0)),
    ):
        pair = []
        for seed, mm in enumerate(sizes_mm):
            volume, region = body(spacing, size, mm, unit, seed=RNG_SEED + seed)
            pair.append(key_image(volume, region, modality=modality))
        made[modality] = (pair[0], pair[1])
    return made


def measurement(
    key: str, label: str, unit: str, value: float | None, u: float | None = None, no_value: NoValue | None = None
) -> Measurement:
    return Measurement(
        key=key,
        label=label,
        unit=unit,
        value=value,
        standard_uncertainty=u,
        no_value=no_value,
        provenance=Provenance(measure=key, revision=1),
    )


NO_WEIGHT = NoValue(
    code="quantify.no-weight",
    reason=text("The header gives no patient weight, so no SUV can be computed."),
    remedy=text("Enter the weight at the scanner console and send the series again."),
    owner=Owner.TECHNOLOGIST,
)


def finding(criterion: str, title: str, outcome: Outcome, series_uid: str | None = None, **more: object) -> Finding:
    given: dict[str, object] = {
        "level": Level.REQUIRED,
        "trust": Trust.VERIFIED,
        "source": "QIBA Profile: CT Tumor Volume Change, 2022, section 3.4.2",
        **more,
    }
    return Finding(
        protocol="ct_volumetry",
        criterion=criterion,
        title=text(title),
        outcome=outcome,
        series_uid=series_uid,
        **given,  # type: ignore[arg-type]
    )


def findings(outcome: Outcome, series_uid: str) -> tuple[Finding, ...]:
    thick = outcome is Outcome.FAIL
    return (
        finding(
            "slice-thickness",
            "Slice thickness",
            Outcome.FAIL if thick else Outcome.PASS,
            series_uid,
            measured=text("{value} {unit}", value=5.0 if thick else 1.25, unit="mm"),
            limit=text("at most {value} {unit}", value=2.5, unit="mm"),
            remedy=text("Reconstruct the same raw data at 2.5 mm or thinner and send that series.") if thick else None,
            owner=Owner.TECHNOLOGIST,
        ),
        finding(
            "kernel",
            "Reconstruction kernel as at baseline",
            Outcome.UNKNOWN if outcome is Outcome.UNKNOWN else Outcome.PASS,
            series_uid,
            reason=text("The header holds no convolution kernel.") if outcome is Outcome.UNKNOWN else None,
            remedy=text("Switch on the export of Convolution Kernel (0018,1210) in the scanner's DICOM settings.")
            if outcome is Outcome.UNKNOWN
            else None,
            owner=Owner.VENDOR,
        ),
        finding("tube-voltage", "Tube voltage", Outcome.PASS, series_uid, measured=text("{value} kV", value=120)),
        finding(
            "dose-modulation",
            "Automatic exposure control",
            Outcome.UNKNOWN,
            series_uid,
            level=Level.RECOMMENDED,
            trust=Trust.UNVERIFIED,
            reason=text("The header doesn't say."),
            owner=Owner.PHYSICIST,
        ),
        finding("phantom", "Phantom measured within a year", Outcome.NOT_APPLICABLE, level=Level.IDEAL),
    )


def exam(place: int, modality: str, images: tuple[KeyImage, KeyImage], outcome: Outcome | None) -> ExamView:
    patient, visit = divmod(place, 2)
    site, days = patient % 3, 0 if visit == 0 else 56 + 7 * patient
    device = (MR_DEVICES if modality == "MR" else CT_DEVICES)[site]
    uid, series_uid = f"1.2.826.{place}", f"1.2.826.{place}.1"
    image = images[visit]
    thickness = 5.0 if outcome is Outcome.FAIL else 1.25
    quality = {
        "CT": (
            measurement("noise", "Global noise level", "[hnsf'U]", 11.2 + site * 3 + visit * 0.6, 0.42),
            measurement("edge_resolution", "Resolution (f50 of the skin edge)", "/mm", 0.37 - 0.05 * site, 0.012),
        ),
        "MR": (measurement("snr_difference", "Signal-to-noise ratio, b = 0", "1", 41.0 - site * 4, 2.1),),
        "PT": (measurement("liver_suv_mean", "Liver SUV, mean", "g/ml", 1.9 + 0.22 * site, 0.07),),
    }[modality]
    sizes = {
        "CT": (
            measurement("volume", "Volume", "ml", 5.57 + 4.6 * visit, 0.31),
            measurement("longest_diameter", "Longest diameter", "mm", 22.1 + 5.2 * visit, 0.5),
            measurement("hu_mean", "CT number, mean", "[hnsf'U]", 45.2, 1.8),
        ),
        "MR": (
            measurement("adc_mean", "Apparent diffusion coefficient, mean", "10-3.mm2/s", 1.12 + 0.07 * visit, 0.031),
            measurement("volume", "Volume", "ml", 20.4 - visit, 0.9),
        ),
        "PT": (
            (
                measurement("suv_peak", "SUVpeak", "g/ml", 8.42 - 0.9 * visit, 0.5),
                measurement("metabolic_tumour_volume", "Metabolic tumour volume", "ml", 24.3 - 6 * visit, 1.7),
            )
            if place != 11
            else (measurement("suv_peak", "SUVpeak", "g/ml", None, no_value=NO_WEIGHT),)
        ),
    }[modality]
    lesion = LesionView(
        lesion=f"T{patient}", label="Lesion 1", series_uid=series_uid, measurements=sizes, method="manual", image=image
    )
    series = SeriesView(
        uid=series_uid,
        modality=modality,
        description={"CT": "Chest 1.25 B", "MR": "DWI b0-400-800", "PT": "PET WB AC"}[modality],
        device=device,
        facts=(
            (text("Slice thickness"), text("{value} {unit}", value=thickness, unit="mm")),
            (text("Reconstruction kernel"), Text("B30f" if site == 0 else "STANDARD")),
            (text("Tube voltage"), text("{value} {unit}", value=120, unit="kV")),
            (text("Contrast"), text("venous phase")),
        ),
        measurements=quality,
        lesions=(lesion,),
        image=replace(image, contours=()),
    )
    refusals = (
        Refusal(
            code="dicom.missing-slice",
            reason=text("Slices are missing between {low} and {high} mm.", low=-112.5, high=-107.5),
            remedy=text("Send the whole series again from the archive."),
            owner=Owner.ARCHIVE,
            kind=SubjectKind.SERIES,
            subject="1.2.826.5.7",
        ),
    )
    return ExamView(
        uid=uid,
        label=f"E{place + 1:02d}",
        patient=f"P-{patient + 1:03d}",
        site=SITES[site],
        day=days,
        performed_on=None,
        description="Follow-up" if visit else "Baseline",
        series=(series,),
        findings=() if outcome is None else findings(outcome, series_uid),
        refusals=refusals if place == 5 else (),
    )


def observation(view: ExamView, place: int) -> Observation:
    series = view.series[0]
    lesion = series.lesions[0]
    return Observation(
        site=view.site,
        device=series.device,
        patient=view.patient,
        lesion=lesion.lesion,
        exam_uid=view.uid,
        series_uid=series.uid,
        performed_at=BEGAN + timedelta(days=view.day or 0),
        measurement=lesion.measurements[place],
        conditions={"modality": series.modality, "device": series.device},
    )


def lesion_change(before: ExamView, after: ExamView, verdict: Verdict) -> LesionChange:
    lesion = before.series[0].lesions[0]
    made = []
    count = min(len(view.series[0].lesions[0].measurements) for view in (before, after))
    for place in range(count):
        first, second = observation(before, place), observation(after, place)
        a, b = first.measurement.value, second.measurement.value
        known = a is not None and b is not None
        reasons = {
            Verdict.REAL: text(
                "The change of {percent} % exceeds both the published limits and twice the combined uncertainty.",
                percent=100 * (b - a) / a if a is not None and b is not None else 0.0,
            ),
            Verdict.WITHIN_REPEATABILITY: text("The change lies within the repeatability of the measure."),
            Verdict.NOT_COMPARABLE: text(
                "Slice thickness went from {before} mm to {after} mm.", before=1.25, after=5.0
            ),
            Verdict.UNKNOWN: text("The second exam has no value: {reason}", reason=NO_WEIGHT.reason),
        }[verdict]
        made.append(
            Change(
                before=first,
                after=second,
                difference=b - a if a is not None and b is not None else None,
                percent=100 * (b - a) / a if a is not None and b is not None else None,
                limits_percent=(-28.0, 39.0) if known else None,
                verdict=verdict,
                reasons=(reasons,),
                remedy=text("Reconstruct the follow-up at 1.25 mm with the kernel of the first exam.")
                if verdict is Verdict.NOT_COMPARABLE
                else None,
                source="QIBA CT Volumetry Profile 2018, claim 1",
            )
        )
    return LesionChange(
        patient=before.patient,
        lesion=lesion.lesion,
        label="Lesion 1",
        verdict=verdict,
        lead=made[0],
        changes=tuple(made),
        history=tuple(observation(view, p) for view in (before, after) for p in range(count)),
    )


def site_rows() -> tuple[SiteRow, ...]:
    rows = []
    rng = np.random.default_rng(RNG_SEED)
    for key, label, unit, centres, width, flagged in (
        ("noise", "Global noise level", "[hnsf'U]", (11.5, 14.4, 17.3), 0.7, 2),
        ("liver_suv_mean", "Liver SUV, mean", "g/ml", (1.91, 1.98, 1.95), 0.12, None),
        ("edge_resolution", "Resolution (f50 of the skin edge)", "/mm", (0.372, 0.33, 0.34), 0.01, None),
    ):
        values = [tuple(float(v) for v in rng.normal(c, width, 4)) for c in centres]
        for place, site in enumerate(SITES):
            others = [v for i, vs in enumerate(values) for v in vs if i != place]
            median, other = float(np.median(values[place])), float(np.median(others))
            rows.append(
                SiteRow(
                    site=site,
                    device=CT_DEVICES[place],
                    key=key,
                    label=label,
                    unit=unit,
                    count=4,
                    median=median,
                    spread=float(np.subtract(*np.percentile(values[place], (75, 25)))),
                    values=values[place],
                    others_median=other,
                    deviation=median - other,
                    flagged=place == flagged,
                    explanation=text(
                        "Slices here are thinner: {here} mm against {there} mm elsewhere.", here=1.0, there=1.25
                    )
                    if place == flagged
                    else None,
                )
            )
    return tuple(rows)


CHEST = Procedure.of([BodyRegion.CHEST])


def doses(exams: tuple[ExamView, ...]) -> DoseOverview:
    """The doses of the CT exams: of patients of two sizes, one far above published levels, one stating nothing."""
    made = [view for view in exams if view.series[0].modality == "CT"]
    records = [
        replace(dose_record(view.site, 6.0 + 5.0 * place, diameter_cm=24.0 + place, procedure=CHEST), exam_uid=view.uid)
        for place, view in enumerate(made)
    ]
    return dose_overview((*records[:-1], replace(records[-1], values={})), dose_rules())


@cache
def study() -> Assessment:
    """The whole example; made once, as its pictures take longer than most tests."""
    images = pictures()
    modalities = ("CT", "MR", "PT", "CT", "CT", "PT")
    outcomes = {3: Outcome.FAIL, 7: Outcome.FAIL, 8: Outcome.UNKNOWN, 10: None}
    exams = tuple(
        exam(place, modalities[place // 2], images[modalities[place // 2]], outcomes.get(place, Outcome.PASS))
        for place in range(12)
    )
    verdicts = (
        Verdict.REAL,
        Verdict.WITHIN_REPEATABILITY,
        Verdict.WITHIN_REPEATABILITY,
        Verdict.NOT_COMPARABLE,
        Verdict.REAL,
        Verdict.UNKNOWN,
    )
    changes = tuple(
        lesion_change(exams[2 * patient], exams[2 * patient + 1], verdict) for patient, verdict in enumerate(verdicts)
    )
    sites = tuple(
        SiteView(
            site=site,
            devices=(CT_DEVICES[place], MR_DEVICES[place]),
            exam_count=4,
            outcomes={"pass": 11, "fail": place, "unknown": 4},
            top_failures=((text("Slice thickness"), place),) if place else (),
        )
        for place, site in enumerate(SITES)
    )
    unreadable = Refusal(
        code="dicom.not-dicom",
        reason=text("{count} files named .dcm hold no DICOM.", count=2),
        remedy=text("Export the files again, or leave them out."),
        owner=Owner.OPERATOR,
        kind=SubjectKind.FILE,
        subject="export/notes.dcm",
        count=2,
    )
    return Assessment(
        version="0.1.0",
        identified=False,
        sites=sites,
        exams=exams,
        changes=changes,
        comparison=site_rows(),
        dose=doses(exams),
        refusals=(unreadable,),
    )
