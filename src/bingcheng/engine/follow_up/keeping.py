"""Decisions of people about which lesion is which, kept and taken back: one way for the terminal and for the pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bingcheng.archive.matchings import (
    Decision,
    decisions,
    drawn_exams,
    save_decisions,
    undo_decision,
)
from bingcheng.archive.workspace import Workspace
from bingcheng.compare.tracks import MatchedPair, NamedLesions, Seat
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text, text
from bingcheng.engine.follow_up.shown import FollowUp, named
from bingcheng.engine.follow_up.waiting import keep_waiting
from bingcheng.quantify.lesion.matching import Action, Edit
from bingcheng.quantify.lesion.matching_edits import NOTHING_TO_UNDO

NOT_TWO_EXAMS = Problem(
    code="engine.lesions-not-of-two-exams",
    says="these lesions are not of two exams of one patient",
    remedy="Name lesions of two exams of one patient, for example E01:nodule E02:nodule-b.",
    owner=Owner.OPERATOR,
)
NOT_DIRECTLY_LINKED = Problem(
    code="engine.lesions-not-linked",
    says="these lesions are not linked with each other",
    remedy="See `bingcheng lesions`: where a lesion is followed over several exams, part it between two neighbours.",
    owner=Owner.OPERATOR,
)
NO_OTHER_EXAM = Problem(
    code="engine.no-other-exam",
    says="the patient has no exam before or after this one to which that could refer",
    remedy="Assess the other exam into this workspace first.",
    owner=Owner.OPERATOR,
)
LESION_GONE = Problem(
    code="engine.lesion-gone",
    says="a lesion that this is about is no longer there: its exam was assessed again meanwhile",
    remedy="Look at the lesions as they are now, and decide again.",
    owner=Owner.RADIOLOGIST,
)
DECIDED_MEANWHILE = Problem(
    code="engine.lesions-decided-meanwhile",
    says="{who} decided about lesions of these two exams after this was shown to you; nothing of yours was kept",
    remedy="Look at what holds now, and decide again if need be.",
    owner=Owner.RADIOLOGIST,
)
TAKEN_BACK_MEANWHILE = Problem(
    code="engine.lesion-decision-taken-back",
    says="{who} has taken this decision back already",
    remedy="Look at what holds now.",
    owner=Owner.RADIOLOGIST,
)
SOMEBODY = text("another person")
NO_SUCH_DECISION = Problem(
    code="engine.no-such-lesion-decision",
    says="there is no decision {number} about these exams that holds",
    remedy="Look at what was decided; another person may have taken it back.",
    owner=Owner.RADIOLOGIST,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who decides, when (UTC) and why; never anything about a patient."""

    by: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What somebody saw of two exams when deciding: a decision on what has changed since is refused.

    Parameters
    ----------
    mark : of all that was decided about them until then, as `mark_of` gives it.
    """

    earlier_uid: str
    later_uid: str
    mark: str


def mark_of(decided: Iterable[Decision], earlier_uid: str, later_uid: str) -> str:
    """A mark that another decision about two exams, or one that is taken back, changes.

    Parameters
    ----------
    decided : all decisions, those that were taken back too.
    """
    here = [one for one in decided if (one.earlier_uid, one.later_uid) == (earlier_uid, later_uid)]
    return f"{len(here)}-{sum(one.undone_at is not None for one in here)}"


class Keeping:
    """The lesions of exams, to decide about; each is named by its exam's UID and its own name there.

    Parameters
    ----------
    among : only these exams count, also as those before and after; None for all of the workspace.
    """

    def __init__(self, workspace: Workspace, among: Collection[str] | None = None) -> None:
        self._workspace = workspace
        self._among = among
        with workspace.reading() as connection:
            drawn = drawn_exams(connection, among)
        self.exams: Mapping[str, NamedLesions] = {exam.uid: named(exam) for exam in drawn}
        self._patient = {exam.uid: exam.patient for exam in drawn}
        self._history: dict[str, list[str]] = {}
        for exam in drawn:
            self._history.setdefault(exam.patient, []).append(exam.uid)

    def link(self, seats: Sequence[Seat], who: Who, shown: Shown | None = None) -> int:
        """These lesions, and no others, are one; returns the number of the decision.

        Raises
        ------
        InputError
            ``engine.lesions-not-of-two-exams``, ``engine.lesion-gone``, ``engine.lesions-decided-meanwhile``; the
            same person's same decision, once more, is the decision that was made.
        """
        earlier, later, before, after = self._two_exams(seats)
        return self._keep([(earlier, later)], Action.LINK, before, after, who, shown)

    def unlink(self, seats: Sequence[Seat], who: Who, shown: Shown | None = None) -> int:
        """These lesions are not one: each stands alone, and what they were linked with stays together.

        Raises
        ------
        InputError
            what `link` raises; ``engine.lesions-not-linked``.
        """
        earlier, later, before, after = self._two_exams(seats)
        if not self._linked(earlier, later, before, after):
            raise InputError(NOT_DIRECTLY_LINKED)
        return self._keep([(earlier, later)], Action.UNLINK, before, after, who, shown)

    def new(self, seat: Seat, who: Who, shown: Shown | None = None) -> int:
        """The lesion was not there in any exam before.

        Raises
        ------
        InputError
            ``engine.lesion-gone``, ``engine.no-other-exam``, ``engine.lesions-decided-meanwhile``.
        """
        uid, name = self._known(seat)
        history = self._history[self._patient[uid]]
        before = history[: history.index(uid)]
        concerned = {*((other, uid) for other in before[-1:]), *self._matched_or(shown)}
        pairs = [(other, uid) for other in before if (other, uid) in concerned]
        return self._keep(pairs, Action.NEW, (), (name,), who, shown)

    def vanished(self, seat: Seat, who: Who, shown: Shown | None = None) -> int:
        """The lesion is not there in any exam after.

        Raises
        ------
        InputError
            what `new` raises.
        """
        uid, name = self._known(seat)
        history = self._history[self._patient[uid]]
        after = history[history.index(uid) + 1 :]
        concerned = {*((uid, other) for other in after[:1]), *self._matched_or(shown)}
        pairs = [(uid, other) for other in after if (uid, other) in concerned]
        return self._keep(pairs, Action.VANISHED, (name,), (), who, shown)

    def _matched_or(self, shown: Shown | None) -> set[tuple[str, str]]:
        """The pairs of exams that were matched or decided about, and the one that was looked at."""
        looked_at = set() if shown is None else {(shown.earlier_uid, shown.later_uid)}
        return looked_at | {(pair.earlier_uid, pair.later_uid) for pair in self._held()}

    def _keep(
        self,
        pairs: Sequence[tuple[str, str]],
        action: Action,
        before: tuple[str, ...],
        after: tuple[str, ...],
        who: Who,
        shown: Shown | None,
    ) -> int:
        if not pairs:
            raise InputError(NO_OTHER_EXAM)
        edit = Edit(action=action, before=before, after=after, by=who.by, at=who.at, why=who.why)
        made = [Decision(earlier_uid=earlier, later_uid=later, edit=edit) for earlier, later in pairs]
        # All that it rests on is looked at where nobody else can write: of two who decide at once one is the first.
        with self._workspace.writing() as connection:
            if shown is not None and (said := _meanwhile(connection, shown)):
                if (before_us := _said_alike(said, made)) is not None:  # a button that was pressed twice
                    return before_us
                raise InputError(DECIDED_MEANWHILE, who=_latest(said))
            _check_there(connection, made)
            numbers = save_decisions(connection, made)
            keep_waiting(connection, {uid for pair in pairs for uid in pair})
            return numbers[-1]

    def _held(self) -> tuple[MatchedPair, ...]:
        with self._workspace.reading() as connection:
            return FollowUp.stored(connection, self._among).held(self.exams, self._patient).pairs

    def _linked(self, earlier: str, later: str, before: tuple[str, ...], after: tuple[str, ...]) -> bool:
        """Whether one link holds all of them, or one name stands for them in exams between which none has it."""
        here = [pair for pair in self._held() if (pair.earlier_uid, pair.later_uid) == (earlier, later)]
        links = [link for pair in here for link in pair.matching.links]
        if any(set(before) <= set(link.before) and set(after) <= set(link.after) for link in links):
            return True
        history = self._history[self._patient[earlier]]
        between = history[history.index(earlier) + 1 : history.index(later)]
        return before == after and not any(set(before) & set(self.exams[uid].labels) for uid in between)

    def _two_exams(self, seats: Sequence[Seat]) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
        known = [self._known(one) for one in seats]
        uids = {uid for uid, _ in known}
        if len(uids) != 2 or len({self._patient[uid] for uid in uids}) != 1:
            raise InputError(NOT_TWO_EXAMS)
        history = self._history[self._patient[known[0][0]]]
        earlier, later = sorted(uids, key=history.index)
        before, after = (tuple(sorted({name for uid, name in known if uid == one})) for one in (earlier, later))
        return earlier, later, before, after

    def _known(self, seat: Seat) -> Seat:
        uid, name = seat
        if uid not in self.exams or name not in self.exams[uid].labels:
            raise InputError(LESION_GONE)
        return seat


def _meanwhile(connection: Connection, shown: Shown) -> Sequence[Decision]:
    """What was decided about two exams if any of it came after they were shown; else nothing."""
    exams = (shown.earlier_uid, shown.later_uid)
    decided = decisions(connection, exams, undone=True)
    if mark_of(decided, *exams) == shown.mark:
        return ()
    return [one for one in decided if (one.earlier_uid, one.later_uid) == exams]


def _said_alike(decided: Sequence[Decision], made: Sequence[Decision]) -> int | None:
    """The number of the last decision if it holds, and the same person said the same with it."""
    last = decided[-1] if decided else None
    if last is None or last.undone_at is not None:
        return None
    said = (last.edit.action, last.edit.before, last.edit.after, last.edit.by)
    mine = made[-1].edit
    return last.number if said == (mine.action, mine.before, mine.after, mine.by) else None


def _latest(decided: Sequence[Decision]) -> str | Text:
    """Who decided last, or took back what was decided; nobody need have said who did the latter."""
    undone = [(one.undone_at, one.undone_by) for one in decided if one.undone_at is not None]
    made = [(one.edit.at.replace(tzinfo=None), one.edit.by) for one in reversed(decided)]
    # Of steps in one moment the first that is listed counts.
    return max([*undone, *made], key=lambda step: step[0])[1] or SOMEBODY


def _check_there(connection: Connection, made: Sequence[Decision]) -> None:
    """Raise if a lesion is gone, or its exam came to another patient, since they were read."""
    exams = {
        one.uid: one
        for one in drawn_exams(connection, {one.earlier_uid for one in made} | {one.later_uid for one in made})
    }
    for one in made:
        earlier, later = exams.get(one.earlier_uid), exams.get(one.later_uid)
        if earlier is None or later is None or earlier.patient != later.patient:
            raise InputError(NOT_TWO_EXAMS)
        if not (
            set(one.edit.before) <= named(earlier).labels.keys() and set(one.edit.after) <= named(later).labels.keys()
        ):
            raise InputError(LESION_GONE)


def take_back(
    workspace: Workspace, number: int, at: datetime, *, by: str = "", among: Collection[str] | None = None
) -> Decision:
    """Take a decision back, with all that was decided with it in one step; returns it.

    Parameters
    ----------
    at, by : when (UTC) and who does; empty where nobody says.
    among : only of decisions about two of these exams.

    Raises
    ------
    InputError
        ``engine.no-such-lesion-decision``: none of this number holds. ``engine.lesion-decision-taken-back``.
    """
    with workspace.writing() as connection:
        known = decisions(connection, among, undone=True)
        taken = next((one for one in known if one.number == number), None)
        if taken is None:
            raise InputError(NO_SUCH_DECISION, number=number)
        if taken.undone_at is not None:
            raise InputError(TAKEN_BACK_MEANWHILE, who=taken.undone_by or SOMEBODY)
        same = [one for one in known if one.edit == taken.edit and one.undone_at is None]
        for one in same:
            undo_decision(connection, one.number, at, by)
        keep_waiting(connection, {uid for one in same for uid in (one.earlier_uid, one.later_uid)})
    return taken


def take_back_last(workspace: Workspace, at: datetime) -> Decision:
    """Take the latest decision back, with all that one command decided; returns it.

    Raises
    ------
    InputError
        ``quantify.matching-nothing-to-undo``.
    """
    with workspace.reading() as connection:
        held = decisions(connection)
    if not held:
        raise InputError(NOTHING_TO_UNDO)
    return take_back(workspace, held[-1].number, at)
