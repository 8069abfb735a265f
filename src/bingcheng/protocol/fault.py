"""What can be wrong in a protocol file: the kind of trouble, the place in the file, and its facts."""

from __future__ import annotations

from dataclasses import dataclass

from bingcheng.core.errors import Owner, Problem
from bingcheng.core.wording import Fact

Location = tuple[str | int, ...]
"""A place in the file, as keys and positions: ``("criteria", 3, "when", 0, "attribute")``."""
MEND_FILE = "Correct this place in the protocol file; `bingcheng protocols` lists what it may say."


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where in the file, and its facts."""

    problem: Problem
    where: Location
    facts: dict[str, Fact]


def file_problem(code: str, says: str, *, remedy: str = MEND_FILE) -> Problem:
    """A kind of trouble with a protocol file, whose sentence names the file, the line and the key."""
    return Problem(
        code=f"protocol.{code}", says="{file}, line {line}, {key}: " + says, remedy=remedy, owner=Owner.PHYSICIST
    )
