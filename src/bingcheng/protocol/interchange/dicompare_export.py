"""A protocol as a dicompare schema: roles become acquisitions, the criteria on their series fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from bingcheng.core.finding import Level, Trust
from bingcheng.core.wording import Text, text
from bingcheng.protocol.interchange.dicompare_fields import field_of, tag_of
from bingcheng.protocol.interchange.remark import Remark
from bingcheng.protocol.model import Criterion, Limit, Protocol, Role, Scope
from bingcheng.protocol.values import Kind

Constraint = dict[str, Any]


def export_dicompare(protocol: Protocol) -> tuple[str, tuple[Remark, ...]]:
    """The JSON of a dicompare schema that asks what `protocol` asks, and what of it dicompare can't ask.

    Only required criteria whose source was verified fail there, as here; all others warn. dicompare assigns series to
    acquisitions by itself: how a role is recognised has no place in a schema.
    """
    remarks = [Remark(f"criteria.{one.id}", _beyond(one)) for one in protocol.criteria if one.scope is not Scope.SERIES]
    acquisitions: dict[str, Constraint] = {}
    for role in protocol.roles:
        fields: list[Constraint] = []
        for criterion in protocol.criteria:
            if criterion.scope is Scope.SERIES and role.id in criterion.roles:
                constraint, why = _field(protocol, criterion)
                if constraint is not None:
                    fields.append(constraint)
                if why is not None:
                    remarks.append(Remark(f"criteria.{criterion.id}", why, lost=constraint is None))
        acquisitions[_name(role, acquisitions)] = {"description": role.title, "fields": fields, "tags": [role.id]}
        if not role.expected:
            remarks.append(
                Remark(f"roles.{role.id}", text("dicompare asks for every acquisition; this one may be absent"))
            )
    schema = {
        "name": protocol.title,
        "description": protocol.intent,
        "version": protocol.version,
        "authors": [source.citation for source in protocol.sources.values()],
        "acquisitions": acquisitions,
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n", tuple(dict.fromkeys(remarks))


def _name(role: Role, taken: Mapping[str, object]) -> str:
    return role.title if role.title not in taken else f"{role.title} ({role.id})"


def _beyond(criterion: Criterion) -> Text:
    return text(
        "dicompare judges one acquisition by itself; this criterion is about: {scope}", scope=criterion.scope.value
    )


def _field(protocol: Protocol, criterion: Criterion) -> tuple[Constraint | None, Text | None]:
    """The field that asks for a criterion, and what is to say about it."""
    attribute = criterion.bound.attribute
    name = field_of(attribute)
    if name is None:
        return None, text("dicompare reads no derived quantities: {what}", what=attribute.label)
    if criterion.when or criterion.by_vendor is not None:
        return None, text("dicompare has no conditions and no limits by vendor")
    asked = next(_asked(criterion), None)
    if asked is None:
        return None, text("dicompare can't ask for: {limit}", limit=criterion.bound.said or criterion.operator)
    constraint, why = asked
    gates = criterion.level is Level.REQUIRED and criterion.trust is not Trust.UNVERIFIED
    known = {"field": name, "tag": tag_of(name)}
    notes = f"{criterion.title}. {protocol.citations[criterion.id]}"
    return {
        **{key: value for key, value in known.items() if value is not None},
        **constraint,
        "severity": "error" if gates else "warning",
        "notes": notes,
        "errorMessage" if gates else "warningMessage": criterion.remedy.replace("%", "%%"),
    }, why


def _asked(criterion: Criterion) -> Iterator[tuple[Constraint, Text | None]]:
    """The constraint that means the same as an operator with its limit, in DICOM's unit; none if dicompare has none."""
    limit, factor = criterion.value, criterion.bound.factor
    if criterion.operator in EXPORTED and limit is not None:
        constraint = EXPORTED[criterion.operator](_in_dicom(limit, factor), criterion.bound.attribute.kind)
        if constraint is not None:
            constraint = _as_recorded(criterion, constraint)
            tolerance = criterion.bound.attribute.tolerance
            if "value" in constraint and criterion.bound.attribute.kind is Kind.NUMBER and tolerance:
                constraint["tolerance"] = tolerance
            yield constraint, STRICT if criterion.operator in ("<", ">") else None


def _as_recorded(criterion: Criterion, constraint: Constraint) -> Constraint:
    """The constraint on the entry as dicompare reads it, where our quantity is a normal form of it."""
    if criterion.attribute == "derived.vendor" and "value" in constraint:
        return {"contains": constraint["value"]}
    if criterion.attribute in PAIRS and {"min", "max"} <= constraint.keys():
        least, most = constraint["min"], constraint["max"]
        return {"value": [(least + most) / 2.0] * 2, "tolerance": (most - least) / 2.0}
    return constraint


def _in_dicom(limit: Limit, factor: float) -> Any:
    """The limit in the attribute's own unit, which for a DICOM keyword is DICOM's."""
    if isinstance(limit, tuple):
        return [_in_dicom(one, factor) for one in limit]
    if isinstance(limit, bool | str) or factor == 1.0:
        return limit
    return float(f"{limit / factor:.12g}")


def _equal(limit: Any, kind: Kind) -> Constraint | None:
    return None if isinstance(limit, bool) or kind is Kind.FLAG else {"value": limit}


def _all_of(limit: Any, kind: Kind) -> Constraint | None:
    """Of one word by ``contains``, since dicompare looks for all of several in lists only, and one word is no list."""
    if kind is not Kind.WORDS:
        return None
    return {"contains": limit[0]} if len(limit) == 1 else {"contains_all": limit}


def _one_of(limit: Any, kind: Kind) -> Constraint | None:
    """Of words; dicompare looks for them inside the text, which a vocabulary of whole words seldom tells apart."""
    return {"contains_any": limit} if kind is Kind.WORD else None


PAIRS = frozenset(("PixelSpacing",))
"""Entries of two numbers; dicompare fails a pair by any ``min`` and ``max``."""
STRICT = text("dicompare's limit includes the value itself, which is excluded here")
EXPORTED: Mapping[str, Callable[[Any, Kind], Constraint | None]] = MappingProxyType(
    {
        "==": _equal,
        "<=": lambda limit, _: {"max": limit},
        "<": lambda limit, _: {"max": limit},
        ">=": lambda limit, _: {"min": limit},
        ">": lambda limit, _: {"min": limit},
        "between": lambda limit, _: {"min": limit[0], "max": limit[1]},
        "all_in": lambda limit, _: {"min": limit[0], "max": limit[1]},
        "max_le": lambda limit, _: {"max": limit},
        "in": _one_of,
        "has_part": lambda limit, _: {"contains_any": limit},
        "contains_any": lambda limit, kind: {"contains_any": limit} if kind is Kind.WORDS else None,
        "contains_all": _all_of,
        "list_is": lambda limit, _: {"value": limit},
    }
)
"""How dicompare says what an operator asks."""
