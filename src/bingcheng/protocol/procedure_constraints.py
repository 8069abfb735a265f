"""What a CT console was set to, against the CT Defined Procedure Protocol it was given: constraint by constraint.

Follows PS3.3 10.25 (Attribute Value Constraint Macro) and C.34.9: each constraint names an attribute of the performed
protocol by the sequences and items that lead to it. Nothing is translated into quantities of ours, so that constraints
of a vendor's own are judged too. A value that the performed protocol does not hold is unknown, never met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from pydicom.datadict import keyword_for_tag

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.finding import Finding, Level, Outcome, Trust
from bingcheng.core.units import UNITS
from bingcheng.core.wording import Text, text
from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.facts.performed import open_performed
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.sources import open_dataset
from bingcheng.protocol.rules import limit_said, operators
from bingcheng.protocol.values import as_text, is_number, listed

DEFINED_PROTOCOL = "1.2.840.10008.5.1.4.1.1.200.1"
"""CT Defined Procedure Protocol Storage (PS3.4 B.5)."""

NOT_DEFINED_PROTOCOL = Problem(
    code="protocol.not-a-defined-protocol",
    says="{file} is no CT Defined Procedure Protocol",
    remedy="Give the object that the console was set by, or a protocol file.",
    owner=Owner.OPERATOR,
)
OPERATORS: Mapping[str, str] = MappingProxyType(
    {
        "LESS_OR_EQUAL": "<=",
        "LESS_THAN": "<",
        "GREATER_OR_EQUAL": ">=",
        "GREATER_THAN": ">",
        "RANGE_INCL": "between",
        "EQUAL": "==",
        "MEMBER_OF": "in",
    }
)
"""Constraint types (10.25.1) as operators."""
EXCLUDING: Mapping[str, str] = MappingProxyType({"NOT_MEMBER_OF": "in", "RANGE_EXCL": "between"})
"""Constraint types that are met where the operator is not."""
MEMBERS = frozenset({"MEMBER_OF", "NOT_MEMBER_OF"})
RANGES = frozenset({"RANGE_INCL", "RANGE_EXCL"})
LEVELS: Mapping[str, Level] = MappingProxyType({"FAILURE": Level.REQUIRED, "WARNING": Level.RECOMMENDED})
"""Significances (10.25.2) as levels; all others, and none at all, only inform (C.34.9.3)."""
NO_VALUE = text("the performed protocol does not hold this value")
SEND_AGAIN = text("Have the scanner store the protocol of this exam with all its settings.")

Value = str | float


def is_defined_protocol(path: Path) -> bool:
    """Whether a file is a CT Defined Procedure Protocol."""
    try:
        return Tags(open_dataset(FrameSource(path=path))).text("SOPClassUID") == DEFINED_PROTOCOL
    except InputError:
        return False


def judge_against_defined(defined: Path, performed: Path) -> tuple[Finding, ...]:
    """What each constraint of the object `defined` came to in the object `performed`, in the order of `defined`.

    Raises
    ------
    InputError
        ``dicom.unreadable``, ``dicom.not-a-performed-protocol``, ``protocol.not-a-defined-protocol``.
    """
    header = Tags(open_dataset(FrameSource(path=defined)))
    if header.text("SOPClassUID") != DEFINED_PROTOCOL:
        raise InputError(NOT_DEFINED_PROTOCOL, file=defined.name)
    done = open_performed(performed)
    name = header.text("ProtocolName") or defined.stem
    return tuple(
        _finding(constraint, name, f"{letter}{number}", done)
        for letter, keyword in (
            ("A", "AcquisitionProtocolElementSpecificationSequence"),
            ("R", "ReconstructionProtocolElementSpecificationSequence"),
        )
        for number, constraint in _constraints(header, keyword)
        if constraint.text("ConstraintType") != "UNCONSTRAINED"
    )


def _constraints(header: Tags, keyword: str) -> Iterator[tuple[int, Tags]]:
    for item in header.items(keyword):
        element = Tags(item)
        for constraint in element.items("ParametersSpecificationSequence"):
            yield int(element.number("ProtocolElementNumber") or 0), Tags(constraint)


def _finding(constraint: Tags, protocol: str, element: str, done: Tags) -> Finding:
    attribute = constraint.text("SelectorAttributeKeyword") or _keyword(constraint) or "?"
    what = constraint.text("SelectorAttributeName") or attribute
    unit = constraint.code("MeasurementUnitsCodeSequence")
    code = unit.value if unit is not None and unit.value in UNITS else "1"
    limits, found = _limits(constraint), _selected(constraint, done)
    outcome, reason = _verdict(constraint, limits, found)
    level = LEVELS.get(constraint.text("ConstraintViolationSignificance") or "", Level.OPTIONAL)
    condition = constraint.text("ConstraintViolationCondition")
    if condition is not None and outcome is Outcome.FAIL:
        # The condition is text for people (0082,0037): whether it holds is not known here.
        outcome, level = Outcome.UNKNOWN, Level.OPTIONAL
        reason = text("asked only on a condition ({what}: {limit})", what=text("as written"), limit=condition)
    guidance = constraint.text("SpecificationSelectionGuidance")
    open_one = outcome in (Outcome.FAIL, Outcome.UNKNOWN)
    number = found[0] if len(found) == 1 and is_number(found[0]) else None
    return Finding(
        protocol=protocol,
        criterion=f"{element}.{attribute}",
        title=text("{what} ({role})", what=what, role=element),
        outcome=outcome,
        level=level,
        trust=Trust.VERIFIED,
        source=protocol,
        role=element,
        measured=as_text(tuple(found) if len(found) > 1 else found[0], unit=code) if found else None,
        limit=_said(constraint, limits, code),
        unit=code,
        value=float(number) if number is not None else None,
        reason=reason,
        remedy=(Text(_plainly(guidance)) if guidance and found else SEND_AGAIN) if open_one else None,
        owner=Owner.TECHNOLOGIST if open_one else None,
    )


def _verdict(constraint: Tags, limits: Sequence[Value], found: Sequence[Value]) -> tuple[Outcome, Text | None]:
    kind = constraint.text("ConstraintType") or ""
    holds = _holds(kind, limits)
    if holds is None:
        return Outcome.UNKNOWN, text("this kind of constraint can't be judged: {kind}", kind=kind or "-")
    if not found:
        return Outcome.UNKNOWN, NO_VALUE
    try:
        # Of several values each has to meet it (10.25.1.1).
        met = all(holds(one) for one in found)
    except TypeError:
        return Outcome.UNKNOWN, text("a word stands where the constraint has a number, or the other way round")
    return (Outcome.PASS, None) if met else (Outcome.FAIL, None)


def _holds(kind: str, limits: Sequence[Value]) -> Callable[[Value], bool] | None:
    """Whether one value meets the constraint; None for a kind, or a number of limits, that can't be judged."""
    key = OPERATORS.get(kind) or EXCLUDING.get(kind)
    if key is None or not limits or (kind not in MEMBERS and len(limits) != (2 if kind in RANGES else 1)):
        return None
    holds = operators()[key].holds
    limit = tuple(limits) if kind in MEMBERS or kind in RANGES else limits[0]
    return lambda value: holds(value, limit, 0.0) is (kind not in EXCLUDING)


def _said(constraint: Tags, limits: Sequence[Value], unit: str) -> Text | None:
    kind = constraint.text("ConstraintType") or ""
    if _holds(kind, limits) is None:
        return None
    if kind in OPERATORS:
        several = kind in MEMBERS or kind in RANGES
        return limit_said(operators()[OPERATORS[kind]], tuple(limits) if several else limits[0], unit=unit, words={})
    return text("anything but {limit}", limit=listed(list(limits)))


def _limits(constraint: Tags) -> list[Value]:
    """The values that constrain, as numbers or words (the attribute's VR says in which element they stand)."""
    keyword = f"Selector{constraint.text('SelectorAttributeVR') or ''}Value"
    return [one for item in constraint.items("ConstraintValueSequence") for one in _values(Tags(item), keyword)]


def _selected(constraint: Tags, done: Tags) -> list[Value]:
    """The values of the performed protocol that the constraint selects (10.17): none if it does not hold them."""
    pointers, numbers = _tags(constraint, "SelectorSequencePointer"), constraint.numbers("SelectorSequencePointerItems")
    keyword, place = _keyword(constraint), done
    if not keyword or len(pointers) != len(numbers):
        return []
    for pointer, number in zip(pointers, numbers, strict=True):
        items = place.items(keyword_for_tag(pointer))
        if not 1 <= number <= len(items):
            return []
        place = Tags(items[int(number) - 1])
    found = _values(place, keyword)
    which = int(constraint.number("SelectorValueNumber") or 0)
    return found[which - 1 : which] if which > 0 else found


def _values(place: Tags, keyword: str) -> list[Value]:
    numbers = place.numbers(keyword)
    return list(numbers) if numbers else list(place.texts(keyword))


def _keyword(constraint: Tags) -> str:
    return next((keyword_for_tag(tag) for tag in _tags(constraint, "SelectorAttribute")), "")


def _tags(place: Tags, keyword: str) -> list[int]:
    """The tags of an attribute tag element (VR AT), one or several."""
    found = place.value(keyword)
    several: Sequence[object] = list(found) if isinstance(found, Sequence) else [found]
    return [int(one) for one in several if isinstance(one, int)]


def _plainly(words: str) -> str:
    """Words of another system as a template of ours, in which braces would be places."""
    return words.replace("{", "{{").replace("}", "}}")
