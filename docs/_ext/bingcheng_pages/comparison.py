"""The limits of repeatability and the rules of comparability, as the program uses them."""

from __future__ import annotations

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bingcheng.compare.comparability import Rule, Severity, rules
from bingcheng.compare.repeatability import Limit, limits
from bingcheng.core.units import UNITS
from bingcheng_pages.catalogues import methods
from bingcheng_pages.prose import Content, bullets, inline, section

MINUS = "\N{MINUS SIGN}"
MODALITIES = {"CT": "CT", "PT": "PET", "MR": "MR"}


class LimitsDirective(SphinxDirective):
    """Every published limit, by modality."""

    def run(self) -> list[nodes.Node]:
        return [
            section(shown, f"limits-{shown}", _list([_limit(e) for e in limits().entries if e.modality == modality]))
            for modality, shown in MODALITIES.items()
        ]


class RulesDirective(SphinxDirective):
    """Every rule, by modality."""

    def run(self) -> list[nodes.Node]:
        return [
            section(shown, f"rules-{shown}", _list([_rule(e) for e in rules().rules if e.modality == modality]))
            for modality, shown in MODALITIES.items()
        ]


def _list(items: list[tuple[str, list[tuple[str, str]]]]) -> nodes.Node:
    made = nodes.definition_list()
    for name, pairs in items:
        points: list[Content] = [[nodes.strong(text=f"{key}: "), *inline(told)] for key, told in pairs if told]
        made += nodes.definition_list_item("", nodes.term("", "", *inline(name)), nodes.definition("", bullets(points)))
    return made


def _label(key: str) -> str:
    known = methods().measures
    return f"{known[key].label} (`{key}`)" if key in known else f"`{key}`"


def _limit(entry: Limit) -> tuple[str, list[tuple[str, str]]]:
    where = f", {entry.organ}" if entry.organ else ""
    decides = "" if entry.trust.value != "unverified" else "; decides nothing"
    return f"{_label(entry.measure)}{where}: {MINUS}{-entry.low_percent:g} % to {entry.high_percent:+g} %", [
        ("Holds", "; ".join(_range(v.fact, v.at_least, v.below) for v in entry.valid) or "for every lesion"),
        ("Trust", f"{entry.trust.value}{decides}"),
        ("Source", entry.citation),
        ("Note", entry.note),
    ]


def _range(fact: str, at_least: float | None, below: float | None) -> str:
    name, unit = {"size_mm": ("longest diameter", " mm"), "suv_max": ("SUVmax", " g/ml")}[fact]
    said = [f"at least {at_least:g}{unit}"] if at_least is not None else []
    said += [f"below {below:g}{unit}"] if below is not None else []
    return f"{name} {' and '.join(said)} at the earlier exam"


def _rule(rule: Rule) -> tuple[str, list[tuple[str, str]]]:
    condition = rules().conditions[rule.condition]
    unit = UNITS[condition.unit].symbol if condition.unit in UNITS else ""
    return f"{condition.label[0].upper()}{condition.label[1:]}", [
        ("Agrees", _agrees(rule, unit)),
        ("Otherwise", _follows(rule, unit)),
        ("Not recorded", _missing(rule)),
        ("For", ", ".join(f"`{key}`" for key in rule.measures)),
        ("Source", f"{rule.source} ({rule.trust.value})"),
        ("Note", rule.note),
    ]


def _agrees(rule: Rule, unit: str) -> str:
    if rule.agree == "equal":
        return "if both are the same"
    if rule.agree == "ratio":
        return f"up to a ratio of {rule.same_within:g}"
    return f"up to a difference of {rule.same_within:g} {unit}".strip()


def _follows(rule: Rule, unit: str) -> str:
    shown = {
        Severity.BREAKS: "the pair is not comparable",
        Severity.WIDENS: f"the limits widen by {rule.widens_percent:g} % on either side",
        Severity.NOTED: "it is said; nothing follows",
    }
    if rule.breaks_beyond is None or rule.breaks_beyond == rule.same_within:
        return shown[rule.severity]
    return f"{shown[Severity.WIDENS]}; beyond {rule.breaks_beyond:g} {unit} {shown[Severity.BREAKS]}"


def _missing(rule: Rule) -> str:
    words = {"unknown": "the change can't be judged", "noted": "it is said; nothing follows"}
    both = f"; on neither exam: {words[rule.if_both_missing]}" if rule.if_both_missing else ""
    return words[rule.if_missing] + both
