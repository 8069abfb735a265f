"""What shows that a shared method works: values with known answers, found again; read from ``bingcheng verify --json``.

What a file says of itself is never taken for more than its numbers show: "met" is judged here anew.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from bingcheng.archive.cases.problems import WRONG_EVIDENCE
from bingcheng.core.errors import InputError
from bingcheng.core.finding import Outcome
from bingcheng.core.measure import ReferenceKind
from bingcheng.core.wording import text

MOST_ROWS, LONGEST = 5000, 500
DEEPEST = 8
LEAST_DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One value with a known answer, found again.

    Parameters
    ----------
    measure : key of what was measured.
    reference : on what; `expect` must come out there, `limit` is the allowed difference.
    unit : UCUM; empty where none is said.
    kind : who says so; None where that is not said in a word that is known. `source` in words.
    outcome : as the numbers show it; unknown where they don't, whatever the file claims.
    reason : in the words of the file, why there is no value.
    claimed : whether the file calls it met although its numbers don't show that.
    """

    measure: str
    reference: str
    expect: float | None
    limit: float | None
    value: float | None
    unit: str
    kind: ReferenceKind | None
    source: str
    outcome: Outcome
    reason: str
    claimed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it.

    Parameters
    ----------
    rows : those first that are not met, then those of which it is not known.
    facts : what a file of another form says, by the path of its names.
    """

    rows: tuple[EvidenceRow, ...]
    facts: tuple[tuple[str, str], ...]

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many are met, not met, not known."""
        return Counter(one.outcome for one in self.rows)

    @property
    def outcome(self) -> Outcome:
        """Of all together: nothing shown is not known."""
        if self.counts[Outcome.FAIL]:
            return Outcome.FAIL
        return Outcome.PASS if self.rows and not self.counts[Outcome.UNKNOWN] else Outcome.UNKNOWN

    def sources(self) -> tuple[tuple[tuple[ReferenceKind | None, str], Evidence], ...]:
        """The rows parted by who says what is right, the most first."""
        parted: dict[tuple[ReferenceKind | None, str], list[EvidenceRow]] = {}
        for one in self.rows:
            parted.setdefault((one.kind, one.source), []).append(one)
        ordered = sorted(parted.items(), key=lambda pair: -len(pair[1]))
        return tuple((key, Evidence(rows=tuple(rows), facts=())) for key, rows in ordered)


def read_evidence(written: str) -> Evidence:
    """The evidence that a file holds: the list of ``bingcheng verify --json``, or any other JSON list or object.

    Raises
    ------
    InputError
        ``archive.wrong-evidence``.
    """
    try:
        found = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise InputError(WRONG_EVIDENCE, fault=text("it is no JSON")) from error
    if not isinstance(found, list | dict) or not found:
        raise InputError(WRONG_EVIDENCE, fault=text("it says nothing"))
    rows = found if isinstance(found, list) else []
    if rows and all(isinstance(one, dict) and "measure" in one for one in rows):
        if len(rows) > MOST_ROWS:
            raise InputError(WRONG_EVIDENCE, fault=text("it has more than {count} rows", count=MOST_ROWS))
        order = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS)
        read = sorted(map(_row, rows), key=lambda one: (order.index(one.outcome), not one.claimed))
        return Evidence(rows=tuple(read), facts=())
    return Evidence(rows=(), facts=tuple(islice(_facts(found), MOST_ROWS)))


def _row(said: Mapping[str, Any]) -> EvidenceRow:
    expect, value = _number(said.get("expect")), _number(said.get("value"))
    absolute, relative = _number(said.get("atol")), _number(said.get("rtol"))
    kind = next((one for one in ReferenceKind if one.value == said.get("kind")), None)
    stated = absolute is not None or relative is not None
    limit = (absolute or 0.0) + (relative or 0.0) * abs(expect) if expect is not None and stated else None
    shown = None if expect is None or value is None or limit is None else _within(value, expect, limit, kind)
    met = said.get("met")
    if met is False or (shown is False and met is not True):
        outcome = Outcome.FAIL
    else:
        outcome = Outcome.PASS if shown else Outcome.UNKNOWN
    return EvidenceRow(
        measure=_words(said.get("measure")),
        reference=_words(said.get("reference")),
        expect=expect,
        limit=limit,
        value=value,
        unit=_words(said.get("unit")),
        kind=kind,
        source=_words(said.get("source")),
        outcome=outcome,
        reason=_words(said.get("reason")),
        claimed=met is True and outcome is not Outcome.PASS,
    )


def _within(value: float, expect: float, limit: float, kind: ReferenceKind | None) -> bool:
    """Whether a value is the expected one.

    Values of a consensus are printed with three significant digits or more; what came out is compared after rounding
    to as many, as the IBSI does (reference manual, arXiv:1612.07003v11). A billionth is rounding of decimal numbers.
    """
    if kind is not ReferenceKind.CONSENSUS:
        return abs(value - expect) <= limit
    digits = max(LEAST_DIGITS, len(Decimal(repr(expect)).normalize().as_tuple().digits))
    return abs(float(f"{value:.{digits - 1}e}") - expect) <= limit + 1e-9 * abs(expect)


def _number(said: object) -> float | None:
    if not isinstance(said, int | float) or isinstance(said, bool):
        return None
    try:
        found = float(said)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _words(said: object) -> str:
    return said[:LONGEST] if isinstance(said, str) else ""


def _facts(found: object, path: str = "", depth: int = 0) -> Sequence[tuple[str, str]]:
    """What stands in an object or a list, by the path of names that leads to it."""
    if depth > DEEPEST:
        return [(path, "…")]
    if isinstance(found, dict):
        inner = [(str(key)[:LONGEST], one) for key, one in found.items()]
    elif isinstance(found, list):
        inner = [(str(number), one) for number, one in enumerate(found, start=1)]
    else:
        return [(path, _fact(found))]
    joined = [_facts(one, f"{path} › {key}" if path else key, depth + 1) for key, one in inner[:MOST_ROWS]]
    return [one for part in joined for one in part]


def _fact(found: object) -> str:
    return found[:LONGEST] if isinstance(found, str) else json.dumps(found)
