"""Hospitals as the page shows them: how they kept to the protocol, and each measure beside the other hospitals'."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from bingcheng.compare.homogeneity import SiteRow
from bingcheng.core.finding import Outcome
from bingcheng.core.units import unit
from bingcheng.core.wording import Text
from bingcheng.outputs.assessment import Assessment, SiteView
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.strips import divided_bar, shared_scale, strip, strip_axis
from bingcheng.outputs.report.words import EXAM_WORDS, style
from bingcheng.outputs.scanner import scanner_in_words
from bingcheng.outputs.summary import joined, judged, named_sites

EXAM_ORDER = (Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCard:
    """One hospital. `counts` says how many of its exams came to what; `bar` draws the same."""

    anchor: str
    view: SiteView
    devices: tuple[str, ...]
    counts: tuple[tuple[Outcome | None, int], ...]
    bar: Markup
    flagged: tuple[SiteRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """One scanner's values of one measure."""

    row: SiteRow
    device: str
    strip: Markup
    median: str
    spread: str
    deviation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMeasure:
    """One measure over all scanners, on one scale. `note` says why no scanner of it could be judged, if so."""

    key: str
    label: str
    unit: str
    rows: tuple[ComparedRow, ...]
    axis: Markup
    flagged: bool
    note: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What hospitals have in common, and the names of the measures that only one of them has."""

    hospitals: int
    measures: tuple[ComparedMeasure, ...]
    alone: Text | None


def site_cards(assessment: Assessment, language: Language) -> tuple[SiteCard, ...]:
    """One card for each hospital, in their order."""
    cards = []
    for place, site in enumerate(assessment.sites):
        counted = _counted(site)
        counts = tuple((outcome, counted[outcome]) for outcome in EXAM_ORDER if counted[outcome])
        parts = [(style(outcome), n, f"{language.say(EXAM_WORDS[outcome])}: {n}") for outcome, n in counts]
        cards.append(
            SiteCard(
                anchor=f"site-{place}",
                view=site,
                devices=tuple(scanner_in_words(device, language) for device in site.devices),
                counts=counts,
                bar=divided_bar(parts),
                flagged=tuple(row for row in assessment.comparison if row.site == site.site and row.flagged),
            )
        )
    return tuple(cards)


def _counted(site: SiteView) -> Counter[Outcome | None]:
    counted = Counter[Outcome | None]({Outcome(outcome): count for outcome, count in site.outcomes.items()})
    counted[None] = site.exam_count - sum(site.outcomes.values())
    return counted


def comparison(assessment: Assessment, language: Language) -> Comparison:
    """The measures that at least two hospitals have; those in which one stands out come first.

    A hospital without a name is none to compare with: it may be one of the others.
    """
    rows_by_key: dict[str, list[SiteRow]] = {}
    for row in assessment.comparison:
        rows_by_key.setdefault(row.key, []).append(row)
    shared = [rows for rows in rows_by_key.values() if len(named_sites(rows)) > 1]
    alone = {rows[0].label: None for rows in rows_by_key.values() if len(named_sites(rows)) < 2}
    compared = [_measure(rows, language) for rows in shared]
    return Comparison(
        hospitals=len({site.site for site in assessment.sites if site.site}),
        measures=tuple(sorted(compared, key=lambda one: (not one.flagged, one.label))),
        alone=joined([Text(label) for label in alone]) if alone else None,
    )


def _measure(rows: list[SiteRow], language: Language) -> ComparedMeasure:
    scale = shared_scale(rows)
    first = rows[0]
    symbol = language.say(unit(first.unit).symbol)
    grain = _grain(rows)
    return ComparedMeasure(
        key=first.key,
        label=language.say(first.label),
        unit=symbol,
        rows=tuple(_row(row, language, grain, strip(row, scale, symbol, language)) for row in rows),
        axis=strip_axis(scale, language),
        flagged=any(row.flagged for row in rows),
        note=None if any(judged(row) for row in rows) else next((r.explanation for r in rows if r.explanation), None),
    )


def _grain(rows: list[SiteRow]) -> float:
    """How finely the values of one measure are worth showing: as a typical spread, and no finer than 0.5 % of them."""
    spreads = [row.spread or max(row.values) - min(row.values) for row in rows if row.values]
    return max(median(spreads) if spreads else 0.0, 0.005 * max(abs(row.median) for row in rows))


def _row(row: SiteRow, language: Language, grain: float, drawn: Markup) -> ComparedRow:
    spread = "" if row.spread is None else language.rounded(row.spread, row.unit, grain)
    away = "" if row.deviation is None else language.rounded(row.deviation, row.unit, grain, signed=True)
    return ComparedRow(
        row=row,
        device=scanner_in_words(row.device, language),
        strip=drawn,
        median=language.rounded(row.median, row.unit, grain),
        spread=spread,
        deviation=away,
    )
