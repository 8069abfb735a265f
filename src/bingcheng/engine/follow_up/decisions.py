"""What a person decides about which lesion is which: named as people name lesions, kept beside what was proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bingcheng.archive.matchings import Decision, decisions, drawn_exams, save_decisions, undo_decision
from bingcheng.archive.workspace import Workspace
from bingcheng.compare.tracks import MatchedPair, NamedLesions
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.engine.follow_up.shown import FollowUp
from bingcheng.outputs.assessment import Assessment
from bingcheng.quantify.lesion.matching import Action, Edit
from bingcheng.quantify.lesion.matching_edits import NOTHING_TO_UNDO

NOT_A_LESION = Problem(
    code="engine.not-a-lesion",
    says="'{written}' does not name a lesion",
    remedy="Write exam and lesion with a colon between them, as `bingcheng lesions` lists them: E01:nodule.",
    owner=Owner.OPERATOR,
)
NO_SUCH_LESION = Problem(
    code="engine.no-such-lesion",
    says="the exam {exam} has no lesion '{lesion}', or several of that label; it has {known}",
    remedy="Use a name that `bingcheng lesions` lists.",
    owner=Owner.OPERATOR,
)
NO_SUCH_EXAM_HERE = Problem(
    code="engine.lesion-of-no-exam",
    says="the workspace holds no exam '{exam}'",
    remedy="Use a label that `bingcheng lesions` lists.",
    owner=Owner.OPERATOR,
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who decides, when (UTC) and why; never anything about a patient."""

    by: str
    at: datetime
    why: str


class Deciding:
    """The lesions of a workspace, to decide about.

    Parameters
    ----------
    workspace : where decisions are kept.
    seen : its assessment, whose labels name exams and lesions.
    """

    def __init__(self, workspace: Workspace, seen: Assessment) -> None:
        self._workspace = workspace
        self._uids = {exam.label: exam.uid for exam in seen.exams}
        self._patients: dict[str, list[NamedLesions]] = {}
        with workspace.reading() as connection:
            drawn = drawn_exams(connection)
        for exam in drawn:
            labels = {lesion.lesion: lesion.label for lesion in reversed(exam.lesions)}
            self._patients.setdefault(exam.patient, []).append(NamedLesions(exam_uid=exam.uid, labels=labels))
        self._of = {exam.exam_uid: patient for patient, exams in self._patients.items() for exam in exams}
        self._exams: Mapping[str, NamedLesions] = {
            exam.exam_uid: exam for exams in self._patients.values() for exam in exams
        }

    def link(self, written: Sequence[str], who: Who) -> int:
        """These lesions, and no others, are one; returns the number of the decision.

        Raises
        ------
        InputError
            ``engine.not-a-lesion``, ``engine.lesion-of-no-exam``, ``engine.no-such-lesion``,
            ``engine.lesions-not-of-two-exams``.
        """
        earlier, later, before, after = self._two_exams(written)
        return self._keep([(earlier, later)], Action.LINK, before, after, who)

    def unlink(self, written: Sequence[str], who: Who) -> int:
        """These lesions are not one: each stands alone, and what they were linked with stays together.

        Raises
        ------
        InputError
            what `link` raises; ``engine.lesions-not-linked``.
        """
        earlier, later, before, after = self._two_exams(written)
        if not self._linked(earlier, later, before, after):
            raise InputError(NOT_DIRECTLY_LINKED)
        return self._keep([(earlier, later)], Action.UNLINK, before, after, who)

    def new(self, written: str, who: Who) -> int:
        """The lesion was not there in any exam before.

        Raises
        ------
        InputError
            what `link` raises of a name; ``engine.no-other-exam``.
        """
        uid, name = self._named(written)
        history = [exam.exam_uid for exam in self._patients[self._of[uid]]]
        before = history[: history.index(uid)]
        pairs = [(other, uid) for other in before if other == before[-1] or self._has_pair(other, uid)]
        return self._keep(pairs, Action.NEW, (), (name,), who)

    def vanished(self, written: str, who: Who) -> int:
        """The lesion is not there in any exam after.

        Raises
        ------
        InputError
            what `new` raises.
        """
        uid, name = self._named(written)
        history = [exam.exam_uid for exam in self._patients[self._of[uid]]]
        after = history[history.index(uid) + 1 :]
        pairs = [(uid, other) for other in after if other == after[0] or self._has_pair(uid, other)]
        return self._keep(pairs, Action.VANISHED, (name,), (), who)

    def _keep(
        self,
        pairs: Sequence[tuple[str, str]],
        action: Action,
        before: tuple[str, ...],
        after: tuple[str, ...],
        who: Who,
    ) -> int:
        if not pairs:
            raise InputError(NO_OTHER_EXAM)
        edit = Edit(action=action, before=before, after=after, by=who.by, at=who.at, why=who.why)
        made = [Decision(earlier_uid=earlier, later_uid=later, edit=edit) for earlier, later in pairs]
        with self._workspace.writing() as connection:
            return save_decisions(connection, made)[-1]

    def _held(self) -> tuple[MatchedPair, ...]:
        with self._workspace.reading() as connection:
            return FollowUp.stored(connection).held(self._exams).pairs

    def _has_pair(self, earlier: str, later: str) -> bool:
        return any((pair.earlier_uid, pair.later_uid) == (earlier, later) for pair in self._held())

    def _linked(self, earlier: str, later: str, before: tuple[str, ...], after: tuple[str, ...]) -> bool:
        """Whether one link holds all of them, or one name stands for them in exams between which none has it."""
        here = [pair for pair in self._held() if (pair.earlier_uid, pair.later_uid) == (earlier, later)]
        links = [link for pair in here for link in pair.matching.links]
        if any(set(before) <= set(link.before) and set(after) <= set(link.after) for link in links):
            return True
        history = self._patients[self._of[earlier]]
        places = {exam.exam_uid: place for place, exam in enumerate(history)}
        between = history[places[earlier] + 1 : places[later]]
        return before == after and not any(set(before) & set(exam.labels) for exam in between)

    def _two_exams(self, written: Sequence[str]) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
        named = [self._named(one) for one in written]
        uids = {uid for uid, _ in named}
        if len(uids) != 2 or len({self._of[uid] for uid in uids}) != 1:
            raise InputError(NOT_TWO_EXAMS)
        history = [exam.exam_uid for exam in self._patients[self._of[named[0][0]]]]
        earlier, later = sorted(uids, key=history.index)
        before, after = (tuple(sorted({n for uid, n in named if uid == one})) for one in (earlier, later))
        return earlier, later, before, after

    def _named(self, written: str) -> tuple[str, str]:
        """The exam's UID and the lesion's name in it."""
        label, colon, lesion = written.partition(":")
        if not colon or not lesion.strip():
            raise InputError(NOT_A_LESION, written=written)
        uid = self._uids.get(label.strip().upper())
        if uid is None:
            raise InputError(NO_SUCH_EXAM_HERE, exam=label.strip())
        known = self._exams[uid].labels
        wanted = lesion.strip()
        if wanted in known:
            return uid, wanted
        labelled = [name for name, shown in known.items() if shown.strip().casefold() == wanted.casefold()]
        if len(labelled) != 1:
            raise InputError(NO_SUCH_LESION, exam=label, lesion=wanted, known=", ".join(known.values()))
        return uid, labelled[0]


def take_back_last(workspace: Workspace, at: datetime) -> Decision:
    """Take the latest decision back, with all that one command decided; returns it.

    Raises
    ------
    InputError
        ``quantify.matching-nothing-to-undo``.
    """
    with workspace.writing() as connection:
        held = decisions(connection)
        if not held:
            raise InputError(NOTHING_TO_UNDO)
        last = held[-1]
        for one in held:
            if (one.edit.at, one.edit.by, one.edit.action) == (last.edit.at, last.edit.by, last.edit.action):
                undo_decision(connection, one.number, at)
    return last
