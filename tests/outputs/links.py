"""Two exams whose lesions were matched, as outputs get them."""

from __future__ import annotations

from bingcheng.core.wording import text
from bingcheng.outputs.assessment import LinkView, MatchedExams
from bingcheng.quantify.lesion.matching import Link, LinkKind


def link_view(
    kind: LinkKind,
    before: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    *,
    confidence: float = 0.97,
    needs_reader: bool = False,
    by: str = "",
    why: str = "",
) -> LinkView:
    """A link of lesions whose labels are their names in capitals."""
    link = Link(
        kind=kind,
        before=before,
        after=after,
        confidence=confidence,
        needs_reader=needs_reader,
        reasons=(text("No later lesion lies where this one would be."),),
        edited=bool(by),
    )
    return LinkView(
        link=link,
        before=tuple(name.upper() for name in before),
        after=tuple(name.upper() for name in after),
        by=by,
        why=why,
    )


def matched_exams(patient: str = "P1") -> MatchedExams:
    """A lesion that stayed, one that split, and one that a person says vanished."""
    return MatchedExams(
        patient=patient,
        earlier="E01",
        later="E02",
        earlier_uid="1.1",
        later_uid="1.2",
        modality="CT",
        links=(
            link_view(LinkKind.SAME, ("liver",), ("a",)),
            link_view(LinkKind.SPLIT, ("left",), ("b", "c"), confidence=0.62, needs_reader=True),
            link_view(LinkKind.VANISHED, ("gone",), confidence=1.0, by="Dr Li", why="no uptake left"),
        ),
        contradictions=(text("{one} lies far away.", one="liver"),),
    )
