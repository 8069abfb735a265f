"""A finding: how one criterion of a protocol was met by one exam. UNKNOWN is never PASS."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text


class Outcome(StrEnum):
    """What a criterion came to."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"
    WAIVED = "waived"


class Level(StrEnum):
    """How much a criterion asks; only `REQUIRED` gates."""

    REQUIRED = "required"
    ACCEPTABLE = "acceptable"
    RECOMMENDED = "recommended"
    IDEAL = "ideal"
    OPTIONAL = "optional"


class Trust(StrEnum):
    """How far the source of a limit was verified; an unverified limit never gates and is shown as such."""

    VERIFIED = "verified"
    QUOTED = "quoted"
    ABSTRACT = "abstract"
    SECONDARY = "secondary"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """How the same criterion was met by the other exams of a workspace that it was judged on.

    Parameters
    ----------
    count : other exams with a value.
    met : how many of them passed.
    percentile : share of them, in per cent, that lie as far beyond the limit or further, ties half; 100 is the best.
    """

    count: int
    met: int
    percentile: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One criterion, judged.

    Parameters
    ----------
    protocol, criterion : identifiers of the protocol and of the criterion in it.
    protocol_title : what people call the protocol; None in findings that were stored without it.
    role, lesion : the role in the protocol that the judged series fills; the lesion that decided.
    title : what was checked, for people.
    measured, limit : as people read them, unit included; None where nothing was measured.
    value : what was measured as a number in `unit`; None where it is none.
    distance : how far beyond the limit, in `unit`; positive = outside; None if not numeric.
    remedy : the sentence the technologist needs.
    reason : why it failed or is unknown.
    source : citation with locator.
    peers : how this exam stands among the others of the workspace; None where there are none to compare with.
    """

    protocol: str
    criterion: str
    title: Text
    outcome: Outcome
    level: Level
    trust: Trust
    source: str
    protocol_title: Text | None = None
    series_uid: str | None = None
    role: str | None = None
    lesion: str | None = None
    measured: Text | None = None
    limit: Text | None = None
    unit: str | None = None
    value: float | None = None
    distance: float | None = None
    reason: Text | None = None
    remedy: Text | None = None
    owner: Owner | None = None
    peers: Peers | None = None

    @property
    def gates(self) -> bool:
        """Whether this finding stops a strict gate: a required, verified criterion that did not pass."""
        return (
            self.outcome in (Outcome.FAIL, Outcome.UNKNOWN)
            and self.level is Level.REQUIRED
            and self.trust is not Trust.UNVERIFIED
        )
