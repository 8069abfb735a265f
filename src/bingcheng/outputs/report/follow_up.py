"""How lesions were matched between exams, as the page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bingcheng.compare.lesions import LesionChange
from bingcheng.core.wording import Text
from bingcheng.outputs.assessment import Assessment, LinkView, MatchedExams
from bingcheng.outputs.follow_up.words import LINK_WORDS, certainty, labels_of, reasons, waiting, whether_to_read


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """One link in words; `to_read` is None where no reader has to look at it."""

    earlier: str
    later: str
    modality: str
    kind: Text
    before: str
    after: str
    certainty: Text
    to_read: Text | None
    reasons: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedBlock:
    """Two exams whose lesions were matched; `contradictions` is what identifiers say against the images."""

    patient: str
    earlier: str
    later: str
    modality: str
    rows: tuple[LinkRow, ...]
    contradictions: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpSection:
    """All matched exams, and how many links a reader has to look at.

    Parameters
    ----------
    path : of the page on which links are confirmed or changed; empty where that is done in a terminal.
    """

    blocks: tuple[MatchedBlock, ...]
    waiting: int
    path: str = ""


def follow_up_section(assessment: Assessment, *, path: str = "") -> FollowUpSection:
    """What was matched in an assessment; `path` is the page on which links are confirmed, if there is one."""
    blocks = tuple(
        MatchedBlock(
            patient=matched.patient,
            earlier=matched.earlier,
            later=matched.later,
            modality=matched.modality,
            # What a reader has to look at first.
            rows=tuple(sorted((_row(matched, view) for view in matched.links), key=lambda row: row.to_read is None)),
            contradictions=matched.contradictions,
        )
        for matched in assessment.follow_up
    )
    return FollowUpSection(blocks=blocks, waiting=waiting(assessment.follow_up), path=path)


def link_rows_of(assessment: Assessment, change: LesionChange) -> tuple[LinkRow, ...]:
    """The links on a lesion's way through its exams."""
    return tuple(_rows_of(assessment, change)) if change.links else ()


def _rows_of(assessment: Assessment, change: LesionChange) -> Iterator[LinkRow]:
    wanted = [(one.earlier_uid, one.later_uid, one.modality, one.link) for one in change.links]
    for matched in assessment.follow_up:
        for view in matched.links:
            if (matched.earlier_uid, matched.later_uid, matched.modality, view.link) in wanted:
                yield _row(matched, view)


def _row(matched: MatchedExams, view: LinkView) -> LinkRow:
    return LinkRow(
        earlier=matched.earlier,
        later=matched.later,
        modality=matched.modality,
        kind=LINK_WORDS[view.link.kind],
        before=labels_of(view.before),
        after=labels_of(view.after),
        certainty=certainty(view),
        to_read=whether_to_read(view),
        reasons=reasons(view),
    )
