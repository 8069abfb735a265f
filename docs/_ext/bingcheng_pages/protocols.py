"""The pages of the protocols: what each asks, how much, on whose word, and how far that word was checked."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bingcheng.core.units import UNITS
from bingcheng.core.wording import text
from bingcheng.protocol.library import protocol, protocols
from bingcheng.protocol.model import Criterion, Demand, IfUnknown, Predicate, Protocol, Role
from bingcheng.protocol.rules import limit_said
from bingcheng_pages.prose import Content, bullets, entries, facts, inline, link, paragraph, section, table


class ProtocolListDirective(SphinxDirective):
    """A table of all protocols."""

    def run(self) -> list[nodes.Node]:
        rows: list[list[Content]] = [
            [
                link(f"protocol-{one.id}", one.title),
                nodes.literal(text=one.id),
                one.modality,
                str(len(one.criteria)),
                "where it applies" if one.by_default else "when asked for",
            ]
            for one in protocols()
        ]
        return [table(("Protocol", "Identifier", "Modality", "Criteria", "Judged"), rows)]


class ProtocolDirective(SphinxDirective):
    """One protocol whole."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        one = protocol(self.arguments[0])
        made: list[nodes.Node] = [paragraph(one.intent), facts(_facts(one))]
        made.append(
            section("Series that it expects", "roles", entries((_role_name(r), _role(r, one)) for r in one.roles))
        )
        criteria = entries((_criterion_name(c), _criterion(c, one)) for c in one.criteria)
        made.append(section("What it asks", "asks", _overview(one)))
        made.append(section("Criteria", "criteria", criteria))
        made.append(section("Sources", "sources", entries(_sources(one))))
        return made


def said(demand: Demand) -> str:
    """A demand as people read it, without the name of its quantity."""
    bound = demand.bound
    if bound.said is not None:
        return str(bound.said)
    if bound.operator.needs_baseline:
        return str(bound.operator.phrase(text("the same value")))
    assert demand.by_vendor is not None
    return "; ".join(
        f"{vendor}: {limit_said(bound.operator, limit, unit=bound.unit, words=bound.attribute.words)}"
        for vendor, limit in demand.by_vendor.items()
    )


def _named(demand: Demand) -> str:
    return f"{demand.bound.attribute.label}: {said(demand)}"


def _facts(one: Protocol) -> Iterator[tuple[Content, Content]]:
    yield "Identifier", [nodes.literal(text=one.id)]
    yield "Version", one.version
    yield "Modality", one.modality
    when = "to every exam that it applies to" if one.by_default else "when it is asked for"
    yield "Judged", f"{when}; `bingcheng assess --protocol {one.id} FOLDER` asks for it"
    if one.applies:
        yield "Applies to exams with", bullets(_named(demand) for demand in one.applies)
    if one.note:
        yield "Note", one.note


def _role_name(role: Role) -> Content:
    kind = role.level.value
    tells = "; tells whether the protocol applies" if role.decisive else ""
    return [nodes.strong(text=role.title), nodes.Text(f" ({role.modality}, {kind}{tells})")]


def _role(role: Role, one: Protocol) -> nodes.Node:
    return _points(
        ("Recognised by", "; ".join(_predicate(predicate) for predicate in role.select) or "its modality"),
        ("If it is missing", role.remedy),
        ("Source", f"{one.citations[f'role.{role.id}']} ({role.trust.value})"),
    )


def _predicate(predicate: Predicate) -> str:
    shown = _named(predicate)
    if predicate.prefers:
        return f"{shown} (preferred)"
    if predicate.if_unknown is IfUnknown.ACCEPT:
        return f"{shown} (or not said)"
    return f"{shown} (must be said)" if predicate.if_unknown is IfUnknown.REJECT else shown


def _overview(one: Protocol) -> nodes.Node:
    rows = [[c.title, said(c), c.level.value, c.trust.value] for c in one.criteria]
    return table(("Criterion", "Asked", "Level", "Trust"), rows)


def _criterion_name(criterion: Criterion) -> Content:
    return [nodes.strong(text=criterion.title), nodes.Text(" "), nodes.literal(text=criterion.id)]


def _criterion(criterion: Criterion, one: Protocol) -> nodes.Node:
    roles = ", ".join(one.role(key).title for key in criterion.roles)
    return _points(
        ("Asked", f"{_named(criterion)} (`{criterion.attribute}`)"),
        ("Of", f"{criterion.scope.value}{f' ({roles})' if roles else ''}"),
        ("Only if", "; ".join(_named(demand) for demand in criterion.when)),
        ("Level and trust", f"{criterion.level.value}; {criterion.trust.value}"),
        ("What to do", f"{criterion.remedy} ({criterion.owner.value})"),
        ("Note", criterion.note or ""),
        ("Source", one.citations[criterion.id]),
    )


def _points(*pairs: tuple[str, str]) -> nodes.Node:
    return bullets([[nodes.strong(text=f"{name}: "), *inline(told)] for name, told in pairs if told])


def _sources(one: Protocol) -> Iterator[tuple[Content, Content]]:
    for name, source in one.sources.items():
        address = f" {source.url}" if source.url else ""
        yield [nodes.literal(text=name)], f"{source.citation}.{address} What was read: {source.read}."


def units_of_quantity(code: str) -> str:
    """The UCUM codes in which a limit may be given beside `code`."""
    quantity = UNITS[code].quantity
    return ", ".join(f"`{one.code}`" for one in UNITS.values() if one.quantity == quantity)
