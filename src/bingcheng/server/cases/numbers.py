"""The numbers of a case as its page shows them: lesion by lesion, what changed first, what has no limits folded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bingcheng.archive.cases.changes import CaseChange
from bingcheng.archive.cases.facts import CaseValue
from bingcheng.compare.repeatability import limits
from bingcheng.core.units import UNITS
from bingcheng.core.wording import Text
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.words import VERDICT_MEANINGS, VERDICT_WORDS, style
from bingcheng.protocol.library import protocols

ALWAYS_SHOWN = frozenset({"hu_mean"})
"""Shown unfolded though nobody published how far it moves by itself: what a lesion's density is, everybody asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """One measure of a lesion; `values` are written out, by the exam's number."""

    label: str
    modality: str
    values: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One change, written out; `style` is the class of its badge, `limits` what repetition alone explains."""

    label: str
    modality: str
    before: int
    after: int
    change: str
    limits: str
    verdict: Text
    meaning: Text
    style: str
    reasons: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionNumbers:
    """A lesion of a case.

    Parameters
    ----------
    changes : what decided first, then the others for which limits are published.
    main : measures for which limits are published; `rest` are all others.
    """

    number: int
    changes: tuple[ChangeRow, ...]
    main: tuple[ValueRow, ...]
    rest: tuple[ValueRow, ...]


def protocol_name(identifier: str) -> str:
    """What people call a protocol; its identifier where it does not come with the program."""
    return next((one.title for one in protocols() if one.id == identifier), identifier)


def lesion_numbers(
    values: Iterable[CaseValue], changes: Iterable[CaseChange], language: Language
) -> list[LesionNumbers]:
    """The lesions of a case in their order."""
    judged, grouped = limits(), _grouped(values)
    became: defaultdict[int, list[ChangeRow]] = defaultdict(list)
    for one in changes:
        if judged.covers(one.key, one.modality):
            became[one.lesion].append(_change(one, language))
    shown = []
    for number, rows in sorted(grouped.items()):
        main = {at for at in rows if judged.covers(at.key, at.modality) or at.key in ALWAYS_SHOWN}
        shown.append(
            LesionNumbers(
                number=number,
                changes=tuple(became[number]),
                main=tuple(_row(at, found, language) for at, found in rows.items() if at in main),
                rest=tuple(_row(at, found, language) for at, found in rows.items() if at not in main),
            )
        )
    return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    key: str
    label: str
    modality: str
    unit: str


def _grouped(values: Iterable[CaseValue]) -> dict[int, dict[_Measure, dict[int, CaseValue]]]:
    """By lesion, then by measure, then by exam; of several series of an exam the first."""
    found: dict[int, dict[_Measure, dict[int, CaseValue]]] = {}
    for one in values:
        if one.lesion is not None:
            at = _Measure(key=one.key, label=one.label, modality=one.modality, unit=one.unit)
            found.setdefault(one.lesion, {}).setdefault(at, {}).setdefault(one.exam, one)
    return found


def _row(at: _Measure, found: Mapping[int, CaseValue], language: Language) -> ValueRow:
    return ValueRow(
        label=language.say(at.label),
        modality=at.modality,
        values={exam: _in_words(one, language) for exam, one in found.items()},
    )


def _in_words(one: CaseValue, language: Language) -> str:
    if one.unit not in UNITS:  # of an installation that knows more
        return f"{language.number(one.value)} {one.unit}"
    uncertainty = one.standard_uncertainty
    return language.quantity(one.value, one.unit, None if uncertainty is None else 2.0 * uncertainty)


def _change(one: CaseChange, language: Language) -> ChangeRow:
    low, high = one.low_percent, one.high_percent
    return ChangeRow(
        label=language.say(one.label),
        modality=one.modality,
        before=one.before,
        after=one.after,
        change=_size(one, language),
        limits=""
        if low is None or high is None
        else f"{language.percent(low, signed=True)} … {language.percent(high, signed=True)}",
        verdict=VERDICT_WORDS[one.verdict],
        meaning=VERDICT_MEANINGS[one.verdict],
        style=style(one.verdict),
        reasons=one.reasons,
    )


def _size(one: CaseChange, language: Language) -> str:
    """The change in per cent, or in its unit where a percentage means nothing; a dash if a value is missing."""
    if one.percent is not None:
        return language.percent(one.percent, signed=True)
    return "–" if one.difference is None else language.rounded(one.difference, one.unit, None, signed=True)
