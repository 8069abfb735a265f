"""Where an exam is to be sent, as the queue keeps it."""

from __future__ import annotations

from dataclasses import dataclass

_WITH_DERIVED = "+derived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A peer, and what it is to get.

    Parameters
    ----------
    peer : its number.
    derived : whether it also gets what this program made of the exam: segmentations and reports.
    """

    peer: int
    derived: bool = False

    def written(self) -> str:
        """One word, at most 64 characters."""
        return f"peer/{self.peer}{_WITH_DERIVED if self.derived else ''}"

    @staticmethod
    def of(word: str) -> Target:
        """What `written` wrote."""
        number = word.removeprefix("peer/").removesuffix(_WITH_DERIVED)
        return Target(peer=int(number), derived=word.endswith(_WITH_DERIVED))
