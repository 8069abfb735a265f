"""What two protocols ask differently: what was added, removed and changed, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from bingcheng.core.wording import Text, text
from bingcheng.protocol.demands import limit_text
from bingcheng.protocol.model import Criterion, Demand, Predicate, Protocol, Role, Source
from bingcheng.protocol.rules import limit_said
from bingcheng.protocol.values import as_text, listed


class Change(StrEnum):
    """What became of a part of a protocol from the first to the second."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


class Part(StrEnum):
    """What part of a protocol it is."""

    PROTOCOL = "protocol"
    SOURCE = "source"
    ROLE = "role"
    CRITERION = "criterion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference.

    Parameters
    ----------
    part, key : which part, by its identifier (of a renamed one, the new); of the protocol itself, its own.
    title : what people call the part.
    field : the key of the file that differs; None where a whole part was added, removed or renamed.
    before, after : what it said and says, for people; None where it said nothing.
    """

    change: Change
    part: Part
    key: str
    title: Text
    field: str | None = None
    before: Text | None = None
    after: Text | None = None


Named = TypeVar("Named", Role, Criterion)

NOTHING = text("nothing")
LIMIT = "value"
VERBATIM = frozenset({"citation", "url", "version", "id", "locator", "read"})
"""Fields that no language changes."""
LIMIT_FIELDS = ("operator", "value", "by_vendor", "unit")


def differences(first: Protocol, second: Protocol) -> tuple[Difference, ...]:
    """How `second` differs from `first`, in the order of the files: protocol, sources, roles, criteria.

    A role or criterion that says the same under another identifier is renamed. The order of parts counts for nothing.
    """
    own = ("title", "version", "modality", "intent", "by_default", "note", "id", "applies")
    return (
        *_changed(Part.PROTOCOL, second.id, Text(second.title), first, second, own),
        *_sources(first, second),
        *_parts(Part.ROLE, first.roles, second.roles, _role_said),
        *_parts(Part.CRITERION, first.criteria, second.criteria, asked),
    )


def asked(criterion: Criterion) -> Text:
    """What a criterion asks, in a line: the quantity, the limit and the level."""
    return text(
        "{what}: {limit} ({level})",
        what=criterion.bound.attribute.label,
        limit=limit_in_words(criterion),
        level=text(criterion.level.value),
    )


def limit_in_words(demand: Demand) -> Text:
    """What `demand` asks for as people read it; of one that depends on the vendor, each vendor's."""
    if demand.by_vendor is None:
        return limit_text(demand)
    bound = demand.bound
    return listed(
        [
            text(
                "{vendor}: {limit}",
                vendor=vendor,
                limit=limit_said(bound.operator, limit, unit=bound.unit, words=bound.attribute.words),
            )
            for vendor, limit in demand.by_vendor.items()
        ]
    )


def demand_in_words(demand: Demand) -> Text:
    """A demand as people read it: ``slice thickness: at most 5 mm``."""
    said = text("{what}: {limit}", what=demand.bound.attribute.label, limit=limit_in_words(demand))
    if isinstance(demand, Predicate) and demand.prefers:
        return text("{demand} (preferred)", demand=said)
    return said


def _role_said(role: Role) -> Text:
    return text("{role} ({level})", role=Text(role.title), level=text(role.level.value))


def _sources(first: Protocol, second: Protocol) -> Iterator[Difference]:
    for key in dict.fromkeys((*first.sources, *second.sources)):
        before, after = first.sources.get(key), second.sources.get(key)
        if before is None or after is None:
            change = Change.ADDED if before is None else Change.REMOVED
            one = after or before
            assert one is not None
            yield _whole(change, Part.SOURCE, key, Text(_escaped(one.citation)), text("{value}", value=one.citation))
        else:
            yield from _changed(
                Part.SOURCE, key, Text(_escaped(after.citation)), before, after, tuple(Source.model_fields)
            )


def _parts(
    part: Part, first: Sequence[Named], second: Sequence[Named], say: Callable[[Named], Text]
) -> Iterator[Difference]:
    before, after = {one.id: one for one in first}, {one.id: one for one in second}
    renamed = _renamed(before, after)
    for key, one in before.items():
        if key not in after and key not in renamed.values():
            yield _whole(Change.REMOVED, part, key, Text(one.title), say(one))
    for key, one in after.items():
        title = Text(one.title)
        if key in before:
            yield from _changed(part, key, title, before[key], one, tuple(type(one).model_fields))
        elif key in renamed:
            yield Difference(
                change=Change.RENAMED,
                part=part,
                key=key,
                title=title,
                before=text("{value}", value=renamed[key]),
                after=text("{value}", value=key),
            )
        else:
            yield _whole(Change.ADDED, part, key, title, say(one))


def _renamed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """New identifiers of parts that say the same as one that is gone, with the old identifier."""
    gone = {key: one for key, one in before.items() if key not in after}
    found: dict[str, str] = {}
    for key, one in after.items():
        if key in before:
            continue
        old = next((k for k, other in gone.items() if other.model_copy(update={"id": key}) == one), None)
        if old is not None:
            found[key] = old
            del gone[old]
    return found


def _whole(change: Change, part: Part, key: str, title: Text, said: Text) -> Difference:
    added = change is Change.ADDED
    return Difference(
        change=change, part=part, key=key, title=title, before=None if added else said, after=said if added else None
    )


def _changed(part: Part, key: str, title: Text, before: Any, after: Any, fields: Sequence[str]) -> Iterator[Difference]:
    """One difference a field; operator, value and unit are one thing for people: the limit."""
    limit_done = False
    for name in fields:
        if getattr(before, name) == getattr(after, name) or (name == "id" and part is not Part.PROTOCOL):
            continue
        shown = name
        if name in LIMIT_FIELDS and isinstance(after, Demand):
            if limit_done:
                continue
            limit_done, shown = True, LIMIT
        yield Difference(
            change=Change.CHANGED,
            part=part,
            key=key,
            title=title,
            field=shown,
            before=_said(before, shown),
            after=_said(after, shown),
        )


def _said(model: Any, name: str) -> Text:
    """What a field says, as people read it."""
    value = getattr(model, name)
    if isinstance(model, Demand) and name in (LIMIT, "attribute"):
        return limit_in_words(model) if name == LIMIT else model.bound.attribute.label
    if value is None or value in ((), ""):
        return NOTHING
    if isinstance(value, tuple):
        return listed([demand_in_words(one) if isinstance(one, Demand) else str(one) for one in value])
    if isinstance(value, bool | int | float):
        return as_text(value)
    return text("{value}", value=str(value)) if name in VERBATIM else Text(_escaped(str(value)))


def _escaped(sentence: str) -> str:
    """A sentence as a template, in which braces would be places."""
    return sentence.replace("{", "{{").replace("}", "}}")
