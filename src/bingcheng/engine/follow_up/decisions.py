"""What a person decides about which lesion is which: named as people name lesions, kept beside what was proposed."""

from __future__ import annotations

from collections.abc import Sequence

from bingcheng.archive.workspace import Workspace
from bingcheng.compare.tracks import Seat
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.engine.follow_up.keeping import Keeping, Who, take_back_last
from bingcheng.outputs.assessment import Assessment

__all__ = ["Deciding", "Who", "take_back_last"]

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


class Deciding:
    """The lesions of a workspace, to decide about as they are written: ``E01:nodule``.

    Parameters
    ----------
    workspace : where decisions are kept.
    seen : its assessment, whose labels name exams and lesions.
    """

    def __init__(self, workspace: Workspace, seen: Assessment) -> None:
        self._keeping = Keeping(workspace)
        self._uids = {exam.label: exam.uid for exam in seen.exams}

    def link(self, written: Sequence[str], who: Who) -> int:
        """These lesions, and no others, are one; returns the number of the decision.

        Raises
        ------
        InputError
            ``engine.not-a-lesion``, ``engine.lesion-of-no-exam``, ``engine.no-such-lesion``, and what `Keeping.link`
            raises.
        """
        return self._keeping.link([self._named(one) for one in written], who)

    def unlink(self, written: Sequence[str], who: Who) -> int:
        """These lesions are not one: each stands alone, and what they were linked with stays together.

        Raises
        ------
        InputError
            what `link` raises; ``engine.lesions-not-linked``.
        """
        return self._keeping.unlink([self._named(one) for one in written], who)

    def new(self, written: str, who: Who) -> int:
        """The lesion was not there in any exam before.

        Raises
        ------
        InputError
            what `link` raises of a name; ``engine.no-other-exam``.
        """
        return self._keeping.new(self._named(written), who)

    def vanished(self, written: str, who: Who) -> int:
        """The lesion is not there in any exam after.

        Raises
        ------
        InputError
            what `new` raises.
        """
        return self._keeping.vanished(self._named(written), who)

    def _named(self, written: str) -> Seat:
        """The exam's UID and the lesion's name in it."""
        label, colon, lesion = written.partition(":")
        if not colon or not lesion.strip():
            raise InputError(NOT_A_LESION, written=written)
        uid = self._uids.get(label.strip().upper())
        if uid is None:
            raise InputError(NO_SUCH_EXAM_HERE, exam=label.strip())
        known = self._keeping.exams[uid].labels
        wanted = lesion.strip()
        if wanted in known:
            return uid, wanted
        labelled = [name for name, shown in known.items() if shown.strip().casefold() == wanted.casefold()]
        if len(labelled) != 1:
            raise InputError(NO_SUCH_LESION, exam=label, lesion=wanted, known=", ".join(known.values()))
        return uid, labelled[0]
