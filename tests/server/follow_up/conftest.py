"""A patient of the North Hospital with two exams whose lesions were matched, two links of which need a reader."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from PIL import Image
from tests.archive.conftest import MONDAY, record
from tests.server.conftest import Served, serving

from bingcheng.archive.matchings import PairKey, Proposal, save_proposal
from bingcheng.archive.records import ExamRecord, LesionRecord
from bingcheng.archive.store import save_exam
from bingcheng.core.measurement import Measurement
from bingcheng.core.provenance import Provenance
from bingcheng.core.wording import text
from bingcheng.dicom.exam import Patient
from bingcheng.outputs.picture import KeyImage
from bingcheng.quantify.lesion.matching import Link, LinkKind, Matching, Member, in_order

EARLIER, LATER, LATEST = "1.2.3.1", "1.2.3.2", "1.2.3.3"
ANNA = Patient(patient_id="K-1", issuer=None, name="Quellberg^Anna", birth_date="19600101")


@dataclass
class House:
    """The served workspace, and the patient's address."""

    served: Served
    patient: str

    @property
    def page(self) -> str:
        return f"/patient/{self.patient}/lesions"


def picture() -> KeyImage:
    written = io.BytesIO()
    Image.new("L", (64, 64), 60).save(written, "PNG")
    return KeyImage(
        png=written.getvalue(),
        size_px=(64, 64),
        pixel_mm=2.0,
        contours=(((20.0, 20.0), (30.0, 20.0), (30.0, 30.0)),),
        caption=text("slice {number}", number=3),
        window=text("W {w}", w=400),
        orientation=("R", "L", "A", "P"),
    )


def exam(uid: str, at: datetime, lesions: dict[str, float], patient: Patient = ANNA, site: str = "North") -> ExamRecord:
    """An exam with lesions of these names and diameters in mm."""
    made = record(uid, patient=patient, site=site, performed_at=at, series=1)
    series = made.series[0]
    drawn = tuple(
        LesionRecord(
            lesion=name, label=name, method="manual", measurements=(diameter(series.uid, mm),), image=picture()
        )
        for name, mm in lesions.items()
    )
    return replace(made, series=(replace(series, lesions=drawn, image=picture()),))


def diameter(series_uid: str, value: float) -> Measurement:
    return Measurement(
        key="longest_diameter",
        label="Longest diameter",
        unit="mm",
        value=value,
        standard_uncertainty=0.5,
        no_value=None,
        provenance=Provenance(measure="longest_diameter", revision=1, parameters={}, inputs=(series_uid,)),
    )


def matching(before: dict[str, float], after: dict[str, float], *links: Link) -> Matching:
    sides = (
        tuple(Member(key=name, label=name, volume_mm3=mm**3) for name, mm in side.items()) for side in (before, after)
    )
    proposed = in_order(links)
    return Matching(before=next(sides), after=next(sides), proposed=proposed, links=proposed)


def link(kind: LinkKind, before: tuple[str, ...], after: tuple[str, ...], confidence: float) -> Link:
    return Link(
        kind=kind,
        before=before,
        after=after,
        confidence=confidence,
        needs_reader=confidence < 0.9,
        reasons=(text("They lie {distance} mm apart.", distance=3),),
    )


def propose(workspace, earlier: str = EARLIER, later: str = LATER) -> None:
    """Liver became a, surely; left split into b and c, and e is new, which need a reader."""
    found = matching(
        BEFORE,
        AFTER,
        link(LinkKind.SAME, ("liver",), ("a",), 0.98),
        link(LinkKind.SPLIT, ("left",), ("b", "c"), 0.7),
        link(LinkKind.NEW, (), ("e",), 0.6),
    )
    pair = PairKey(earlier_uid=earlier, later_uid=later, modality="CT")
    with workspace.writing() as connection:
        save_proposal(connection, Proposal(pair=pair, digest="d", matching=found))


BEFORE, AFTER = {"liver": 20.0, "left": 26.0}, {"a": 30.0, "b": 13.0, "c": 13.0, "e": 14.0}


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    """Two exams, as `propose` matches them."""
    served = serving(tmp_path / "workspace", language="en")
    workspace = served.site.workspace
    save_exam(workspace, exam(EARLIER, MONDAY, BEFORE))
    save_exam(workspace, exam(LATER, MONDAY + timedelta(days=56), AFTER))
    propose(workspace)
    yield House(served, workspace.pseudonym(ANNA, "North", EARLIER))
    served.close()
