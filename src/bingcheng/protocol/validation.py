"""Whether a protocol makes sense: attributes, operators, limits, units, roles and sources fit together."""

from __future__ import annotations

from collections.abc import Iterator

from bingcheng.core.units import UNITS
from bingcheng.core.wording import Fact
from bingcheng.protocol.attributes import About, Attribute, attributes
from bingcheng.protocol.consistency import inconsistencies
from bingcheng.protocol.fault import Fault, Location
from bingcheng.protocol.fault import file_problem as _problem
from bingcheng.protocol.misnamed import UNKNOWN_ATTRIBUTE, explained
from bingcheng.protocol.model import ANY_MODALITY, Cited, Criterion, Demand, Limit, Predicate, Protocol, Scope
from bingcheng.protocol.rules import Operator, Shape, operators
from bingcheng.protocol.values import Kind, is_number

UNKNOWN_OPERATOR = _problem("unknown-operator", "'{name}' is not an operator; there are {known}")
UNFIT_OPERATOR = _problem("unfit-operator", "'{operator}' does not judge '{name}', which is {kind}")
WRONG_LIMIT = _problem("wrong-limit", "'{operator}' needs {shape}")
TWO_LIMITS = _problem("two-limits", "give either 'value' or 'by_vendor', not both")
CONTRADICTORY_RANGE = _problem("contradictory-range", "no value lies between {low} and {high}")
UNKNOWN_WORD = _problem("unknown-word", "'{name}' never is '{word}'; it is one of {known}")
NO_UNIT = _problem("no-unit", "'{name}' has a unit: say in which one the limit is (as {unit})")
WRONG_UNIT = _problem("wrong-unit", "'{unit}' does not measure '{name}', which is in '{right}'")
UNKNOWN_SOURCE = _problem("unknown-source", "the source '{name}' does not stand in this file")
NO_LOCATOR = _problem("no-locator", "say where in '{name}' it stands (locator)")
UNKNOWN_ROLE = _problem("unknown-role", "the role '{name}' does not stand in this file")
NO_ROLE = _problem("no-role", "a criterion of a series, of a pair, or of several roles names the roles that it judges")
NEEDLESS_ROLE = _problem(
    "needless-role", "only criteria of a series, of a pair, or of several roles of an exam name roles"
)
WRONG_SCOPE = _problem("wrong-scope", "'{name}' is about: {about}; it can't be asked with the scope '{scope}'")
NO_BASELINE = _problem("no-baseline", "'{operator}' compares with the baseline and needs the scope 'pair'")
WRONG_MODALITY = _problem("wrong-modality", "series of {modality} have no '{name}'")
DUPLICATE_ID = _problem("duplicate-id", "the identifier '{name}' stands twice in this file")
NO_DECISIVE_ROLE = _problem("no-decisive-role", "at least one role must be decisive, or no exam is ever judged")

ABOUT: dict[Scope, frozenset[About]] = {
    Scope.SERIES: frozenset({About.SERIES, About.OUTSIDE}),
    Scope.EXAM: frozenset({About.EXAM, About.ROLES, About.OUTSIDE}),
    Scope.PAIR: frozenset({About.PAIR, About.OUTSIDE}),
    Scope.LESION: frozenset({About.OUTSIDE}),
    Scope.PHANTOM: frozenset({About.OUTSIDE}),
    Scope.PROGRAM: frozenset({About.OUTSIDE}),
}
CONDITIONS = frozenset({About.SERIES, About.EXAM, About.OUTSIDE})
HAS_ROLES = frozenset({Scope.SERIES, Scope.PAIR})


def faults(protocol: Protocol) -> Iterator[Fault]:
    """Everything about `protocol` that does not make sense, in the order of the file.

    Whether its demands can be met together is asked only where each of them makes sense.
    """
    found = False
    for fault in _single_faults(protocol):
        found = True
        unknown = fault.problem is UNKNOWN_ATTRIBUTE
        yield explained(str(fault.facts["name"]), fault, protocol) if unknown else fault
    if not found:
        yield from inconsistencies(protocol)


def _single_faults(protocol: Protocol) -> Iterator[Fault]:
    for n, demand in enumerate(protocol.applies):
        yield from _demand(demand, ("applies", n))
    yield from _identifiers(protocol)
    for n, role in enumerate(protocol.roles):
        yield from _cited(protocol, role, ("roles", n))
        for k, predicate in enumerate(role.select):
            where = ("roles", n, "select", k)
            yield from _demand(predicate, where)
            yield from _scope(predicate, CONDITIONS, "series", where)
            yield from _modality(predicate, role.modality, where)
    for n, criterion in enumerate(protocol.criteria):
        yield from _criterion(protocol, criterion, ("criteria", n))


def _criterion(protocol: Protocol, criterion: Criterion, where: Location) -> Iterator[Fault]:
    yield from _cited(protocol, criterion, where)
    yield from _demand(criterion, where)
    yield from _roles(protocol, criterion, where)
    compares = criterion.operator in operators() and operators()[criterion.operator].needs_baseline
    if compares and criterion.scope is not Scope.PAIR:
        yield Fault(NO_BASELINE, (*where, "operator"), {"operator": criterion.operator})
    about = frozenset({About.SERIES}) if compares else ABOUT[criterion.scope]
    yield from _scope(criterion, about, criterion.scope.value, where)
    for k, condition in enumerate(criterion.when):
        yield from _demand(condition, (*where, "when", k))
        allowed = CONDITIONS if criterion.scope in HAS_ROLES else CONDITIONS - {About.SERIES}
        yield from _scope(condition, allowed, criterion.scope.value, (*where, "when", k))


def _identifiers(protocol: Protocol) -> Iterator[Fault]:
    roles, criteria = [role.id for role in protocol.roles], [criterion.id for criterion in protocol.criteria]
    for name, keys in (("roles", roles), ("criteria", criteria)):
        for n, key in enumerate(keys):
            if key in keys[:n]:
                yield Fault(DUPLICATE_ID, (name, n, "id"), {"name": key})
    if protocol.modality != ANY_MODALITY and not any(role.decisive for role in protocol.roles):
        yield Fault(NO_DECISIVE_ROLE, ("roles", 0, "decisive"), {})


def _cited(protocol: Protocol, cited: Cited, where: Location) -> Iterator[Fault]:
    for name in cited.source:
        if name not in protocol.sources:
            yield Fault(UNKNOWN_SOURCE, (*where, "source"), {"name": name})
        elif not cited.locator and not protocol.sources[name].locator:
            yield Fault(NO_LOCATOR, (*where, "source"), {"name": name})


def _roles(protocol: Protocol, criterion: Criterion, where: Location) -> Iterator[Fault]:
    known_attribute = criterion.attribute in attributes()
    compares = known_attribute and attributes()[criterion.attribute].about is About.ROLES
    if (criterion.scope in HAS_ROLES or compares) != bool(criterion.roles):
        yield Fault(NEEDLESS_ROLE if criterion.roles else NO_ROLE, (*where, "roles"), {})
    known = {role.id for role in protocol.roles}
    for name in criterion.roles:
        if name not in known:
            yield Fault(UNKNOWN_ROLE, (*where, "roles"), {"name": name})
        else:
            yield from _modality(criterion, protocol.role(name).modality, where)


def _modality(demand: Demand, modality: str, where: Location) -> Iterator[Fault]:
    if demand.attribute not in attributes():
        return
    modalities = attributes()[demand.attribute].modalities
    if modalities and modality not in modalities:
        yield Fault(WRONG_MODALITY, (*where, "attribute"), {"name": demand.attribute, "modality": modality})


def _scope(demand: Demand, allowed: frozenset[About], scope: str, where: Location) -> Iterator[Fault]:
    if demand.attribute not in attributes():
        return
    about = attributes()[demand.attribute].about
    if about not in allowed:
        facts: dict[str, Fact] = {"name": demand.attribute, "about": about.value, "scope": scope}
        yield Fault(WRONG_SCOPE, (*where, "attribute"), facts)


def _demand(demand: Demand | Predicate, where: Location) -> Iterator[Fault]:
    if demand.attribute not in attributes():
        yield Fault(UNKNOWN_ATTRIBUTE, (*where, "attribute"), {"name": demand.attribute})
        return
    if demand.operator not in operators():
        known = ", ".join(operators().keys())
        yield Fault(UNKNOWN_OPERATOR, (*where, "operator"), {"name": demand.operator, "known": known})
        return
    attribute, operator = attributes()[demand.attribute], operators()[demand.operator]
    if attribute.kind not in operator.takes:
        facts: dict[str, Fact] = {"operator": operator.key, "name": attribute.key, "kind": attribute.kind.value}
        yield Fault(UNFIT_OPERATOR, (*where, "operator"), facts)
        return
    yield from _unit(demand, attribute, operator, where)
    yield from _limits(demand, attribute, operator, where)


def _unit(demand: Demand, attribute: Attribute, operator: Operator, where: Location) -> Iterator[Fault]:
    given, right = demand.unit, attribute.unit
    if given is None:
        if attribute.kind.numeric and right != "1" and operator.shape is not Shape.NOTHING:
            yield Fault(NO_UNIT, (*where, "attribute"), {"name": attribute.key, "unit": right})
    elif given not in UNITS or not attribute.kind.numeric or UNITS[given].quantity != UNITS[right].quantity:
        yield Fault(WRONG_UNIT, (*where, "unit"), {"unit": given, "name": attribute.key, "right": right})


def _limits(demand: Demand, attribute: Attribute, operator: Operator, where: Location) -> Iterator[Fault]:
    if demand.value is not None and demand.by_vendor is not None:
        yield Fault(TWO_LIMITS, (*where, "by_vendor"), {})
        return
    key = "value" if demand.by_vendor is None else "by_vendor"
    for limit in demand.limits():
        if not _shaped(limit, attribute.kind, operator.shape):
            facts: dict[str, Fact] = {"operator": operator.key, "shape": operator.shape.value}
            yield Fault(WRONG_LIMIT, (*where, key), facts)
        elif operator.shape is Shape.RANGE and isinstance(limit, tuple) and float(limit[0]) > float(limit[1]):
            yield Fault(CONTRADICTORY_RANGE, (*where, key), {"low": float(limit[0]), "high": float(limit[1])})
        elif attribute.words:
            yield from _words(limit, attribute, (*where, key))


def _words(limit: Limit | None, attribute: Attribute, where: Location) -> Iterator[Fault]:
    for word in limit if isinstance(limit, tuple) else (limit,):
        if isinstance(word, str) and word not in attribute.words:
            known = ", ".join(attribute.words)
            yield Fault(UNKNOWN_WORD, where, {"name": attribute.key, "word": word, "known": known})


def _shaped(limit: Limit | None, kind: Kind, shape: Shape) -> bool:
    match shape:
        case Shape.NOTHING:
            return limit is None or limit is True
        case Shape.RANGE:
            return isinstance(limit, tuple) and len(limit) == 2 and all(is_number(one) for one in limit)
        case Shape.SEVERAL:
            return isinstance(limit, tuple) and bool(limit) and all(_single(one, kind) for one in limit)
        case Shape.ONE:
            return _single(limit, kind)


def _single(value: object, kind: Kind) -> bool:
    match kind:
        case Kind.NUMBER | Kind.NUMBERS:
            return is_number(value)
        case Kind.WORD | Kind.WORDS:
            return isinstance(value, str)
        case Kind.FLAG:
            return isinstance(value, bool)
