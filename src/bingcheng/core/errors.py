"""Errors, told apart by what the caller can do; each says what is wrong, who can mend it and how.

A `Problem` is declared once, as a constant of the module that finds it, and gives the stable code. An error is a
problem with the facts of one occurrence. Facts never hold patient data.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bingcheng.core.wording import Fact, Text


class Owner(StrEnum):
    """Who can mend a problem."""

    TECHNOLOGIST = "technologist"
    RADIOLOGIST = "radiologist"
    PHYSICIST = "physicist"
    ARCHIVE = "archive administrator"
    VENDOR = "scanner vendor"
    OPERATOR = "operator of Bingcheng"
    DEVELOPER = "developer of the measure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One kind of thing that goes wrong.

    Parameters
    ----------
    code : stable identifier, ``floor.words-with-hyphens``; never renamed once released.
    says : what is wrong, an English template with ``{named}`` places for the facts.
    remedy : what to do next, in the imperative, for the owner.
    owner : who can mend it.
    """

    code: str
    says: str
    remedy: str
    owner: Owner


class BingchengError(Exception):
    """The root of all errors that this package raises on purpose."""

    def __init__(self, problem: Problem, **facts: Fact | Text) -> None:
        self.problem = problem
        self.reason = Text(problem.says, facts)
        super().__init__(problem.code)

    def __str__(self) -> str:
        # Made when somebody reads it: most `Undefined` are told by their parts, thousands of times an exam.
        return f"[{self.code}] {self.reason}"

    @property
    def code(self) -> str:
        """The stable code of the problem."""
        return self.problem.code

    def __copy__(self) -> BingchengError:
        """The same error as if it had not been raised: it holds no frames, whoever registers how errors are copied."""
        return _again(type(self), self.problem, dict(self.reason.facts))

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (type(self), self.problem, dict(self.reason.facts))


def _again(kind: type[BingchengError], problem: Problem, facts: dict[str, Fact | Text]) -> BingchengError:
    return kind(problem, **facts)


class InputError(BingchengError):
    """The data are at fault: mend the data."""


class Undefined(BingchengError):  # noqa: N818 - the word people use
    """There is no value, for a reason that lies in the definition or in what the exam recorded."""


class CatalogueError(BingchengError):
    """The program is at fault: mend a measure, a protocol or another catalogued thing."""


class RemoteError(BingchengError):
    """Another machine did not answer as it should: try again."""


class RefusedError(BingchengError):
    """Not allowed."""
