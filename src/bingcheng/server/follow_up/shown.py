"""What the page of a patient's lesion links shows: both exams side by side, what holds, why, and what can be said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bingcheng.archive.matchings import Decision
from bingcheng.core.wording import Text, text
from bingcheng.engine.follow_up.keeping import mark_of
from bingcheng.engine.follow_up.review import ReviewPair, ReviewRow
from bingcheng.outputs.assessment import ExamView, LesionView
from bingcheng.outputs.follow_up.words import LINK_WORDS
from bingcheng.outputs.language import Language
from bingcheng.outputs.picture import KeyImage
from bingcheng.outputs.report.lesions import value_in_words
from bingcheng.outputs.report.slices import Slices, close_up_mm
from bingcheng.quantify.lesion.matching import LinkKind
from bingcheng.server.follow_up.words import CONFIRM_WORDS, UNKNOWN
from bingcheng.server.viewer.links import study_link

SIZES = ("longest_diameter", "volume")
"""What tells lesions apart that look alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One lesion in one exam.

    Parameters
    ----------
    name, label : by which it is known in its exam, and what it is called.
    sizes : its diameter and volume, with unit.
    picture, window : its key image, and how that is shown; None without one.
    """

    name: str
    label: str
    sizes: tuple[str, ...]
    picture: Markup | None
    window: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is said of some lesions of two exams.

    Parameters
    ----------
    anchor, place : by which it is led to, and asked for.
    kind, certainty : what it is, and how sure; no certainty where a person decided.
    waits : whether a reader has to look at it before a change over it is judged.
    reasons : why it is so; of a decision, what the person wrote.
    decided : the decision that says so.
    confirm : what a person says who confirms it; None where that was done.
    parts : whether it links lesions of both exams.
    """

    anchor: str
    place: int
    kind: Text
    certainty: Text | None
    waits: bool
    known: bool
    reasons: tuple[Text, ...]
    before: tuple[Shot, ...]
    after: tuple[Shot, ...]
    decided: Decision | None
    confirm: Text | None
    parts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two exams side by side; of one that is folded nothing but that it is there, and how many links it has.

    Parameters
    ----------
    number : by which it is asked for.
    mark : of what was decided about them until now; a decision that comes with another mark is refused.
    choices : all lesions of both, to be linked with others.
    chosen : names of those that are ticked to begin with; nothing is unless a row was asked for.
    viewer : opens both exams side by side; empty where the archive has not the images of both.
    calm : the rows that need nobody, after those that do.
    """

    number: int
    folded: bool
    earlier: ExamView
    later: ExamView
    modality: str
    mark: str
    pressing: tuple[Row, ...]
    calm: tuple[Row, ...]
    choices: tuple[tuple[Shot, ...], tuple[Shot, ...]]
    chosen: tuple[tuple[str, ...], tuple[str, ...]]
    viewer: str
    found: ReviewPair


class Showing:
    """Makes what the page shows of pairs of exams.

    Parameters
    ----------
    exams : of the patient, with their key images.
    decided : all decisions about them, those that were taken back too.
    received : UIDs of the exams whose images can be opened in the viewer.
    """

    def __init__(
        self,
        exams: Sequence[ExamView],
        decided: Sequence[Decision],
        slices: Slices,
        language: Language,
        received: Collection[str],
    ) -> None:
        self._exams: Mapping[str, ExamView] = {exam.uid: exam for exam in exams}
        self._received = frozenset(received)
        self._decided, self._slices, self._language = decided, slices, language

    def pairs(self, found: Sequence[ReviewPair], *, pair: int = 0, row: int = 0) -> tuple[Pair, ...]:
        """The pairs, the latest exams first; those in which nothing waits are folded, but for the latest.

        Parameters
        ----------
        pair, row : which pair is asked for, and the row whose lesions are to be linked with others; 0 for none.
        """
        shown = {pair, len(found)} | {number for number, one in enumerate(found, start=1) if one.waiting}
        numbered = reversed(list(enumerate(found, start=1)))
        return tuple(
            self._pair(number, one, row if number == pair else 0) if number in shown else self._folded(number, one)
            for number, one in numbered
        )

    def _folded(self, number: int, found: ReviewPair) -> Pair:
        return Pair(
            number=number,
            folded=True,
            earlier=self._exams[found.earlier_uid],
            later=self._exams[found.later_uid],
            modality=found.modality,
            mark="",
            pressing=(),
            calm=(),
            choices=((), ()),
            chosen=((), ()),
            viewer="",
            found=found,
        )

    def _pair(self, number: int, found: ReviewPair, chosen: int) -> Pair:
        both = [found.earlier_uid, found.later_uid]
        rows = [self._row(f"{number}-{place}", place, found, row) for place, row in enumerate(found.rows, start=1)]
        return Pair(
            number=number,
            folded=False,
            earlier=self._exams[found.earlier_uid],
            later=self._exams[found.later_uid],
            modality=found.modality,
            mark=mark_of(self._decided, found.earlier_uid, found.later_uid),
            pressing=tuple(row for row in rows if row.waits or not row.known),
            calm=tuple(row for row in rows if row.known and not row.waits),
            choices=self._sides(found, found.before, found.after),
            chosen=next(((one.before, one.after) for one in found.rows[chosen - 1 : chosen] if chosen), ((), ())),
            viewer=study_link(both) if self._received.issuperset(both) else "",
            found=found,
        )

    def _row(self, anchor: str, place: int, found: ReviewPair, row: ReviewRow) -> Row:
        kind = LinkKind.VANISHED if row.before else LinkKind.NEW
        if row.link is not None:
            kind = row.link.kind
        before, after = self._sides(found, row.before, row.after)
        return Row(
            anchor=anchor,
            place=place,
            kind=UNKNOWN if row.link is None else LINK_WORDS[kind],
            certainty=_certainty(row),
            waits=row.waits,
            known=row.link is not None,
            reasons=_reasons(row),
            before=before,
            after=after,
            decided=row.decided,
            confirm=None if row.decided is not None else CONFIRM_WORDS[kind],
            parts=bool(row.before and row.after),
        )

    def _sides(
        self, found: ReviewPair, before: Iterable[str], after: Iterable[str]
    ) -> tuple[tuple[Shot, ...], tuple[Shot, ...]]:
        """Lesions of the earlier and of the later exam, all at one scale."""
        sides = (
            (self._exams[found.earlier_uid], found.before, before),
            (self._exams[found.later_uid], found.after, after),
        )
        views = [
            [(exam, known.get(name, name), name, _view(exam, name, found.modality)) for name in names]
            for exam, known, names in sides
        ]
        images = [view.image for side in views for *_, view in side if view is not None and view.image is not None]
        side_mm = close_up_mm(images)
        earlier, later = (tuple(self._shot(*one, side_mm) for one in side) for side in views)
        return earlier, later

    def _shot(self, exam: ExamView, label: str, name: str, view: LesionView | None, side_mm: float) -> Shot:
        image: KeyImage | None = None if view is None else view.image
        alt = text("{lesion} in exam {exam}, with its border drawn", lesion=label, exam=exam.label)
        return Shot(
            name=name,
            label=label,
            sizes=() if view is None else tuple(self._sizes(view)),
            picture=None if image is None else self._slices.close_up(image, side_mm, self._language.say(alt)),
            window=None if image is None else image.window,
        )

    def _sizes(self, view: LesionView) -> Iterator[str]:
        measured = {one.key: one for one in view.measurements if one.value is not None}
        yield from (value_in_words(measured[key], self._language) for key in SIZES if key in measured)


def _view(exam: ExamView, name: str, modality: str) -> LesionView | None:
    """The lesion as it was drawn in a modality; where there is a choice, with a key image."""
    found = [
        one
        for series in exam.series
        if not modality or series.modality == modality
        for one in series.lesions
        if one.lesion == name
    ]
    return min(found, key=lambda one: one.image is None, default=None)


def _certainty(row: ReviewRow) -> Text | None:
    if row.link is None or row.link.edited:
        return None
    if row.by_name:
        return text("by their common name")
    return text("{percent} % sure", percent=round(100.0 * row.link.confidence))


def _reasons(row: ReviewRow) -> tuple[Text, ...]:
    if row.decided is not None:
        why = row.decided.edit.why
        return (text("{why}", why=why),) if why else ()
    if row.link is None:
        return (text("The other exam has no lesion of its name, and nothing else says what became of it."),)
    return row.link.reasons
