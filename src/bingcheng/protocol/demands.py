"""Weighing a demand against the facts: met, not met, or unknown, with the sentences that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bingcheng.core.errors import Owner
from bingcheng.core.finding import Outcome
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.protocol.attributes import About, Attribute, ExamFacts, FilledRoles, Reading, attributes, told_barely
from bingcheng.protocol.model import Bound, Demand, Limit
from bingcheng.protocol.rules import Shape, limit_said
from bingcheng.protocol.supplied import Supplied
from bingcheng.protocol.values import Kind, Value, as_text, is_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a demand came to; the sentences and numbers are those of a `Finding`.

    `supply` and `owner` say how to learn what is unknown; `capped` marks a demand of which nobody knows that it asks.
    """

    outcome: Outcome
    measured: Text | None = None
    limit: Text | None = None
    value: float | None = None
    distance: float | None = None
    reason: Text | None = None
    supply: Text | None = None
    owner: Owner | None = None
    capped: bool = False


class Evidence:
    """The facts of one exam, each read once, together with what was measured or said about it.

    `earlier` is what was measured in the baseline exam, for quantities that compare the two.
    """

    def __init__(
        self,
        acquisitions: Sequence[AnyAcquisition],
        supplied: Supplied | None = None,
        earlier: Supplied | None = None,
    ) -> None:
        self.supplied = supplied or Supplied()
        before = {} if earlier is None else earlier.series
        self.exam = ExamFacts(
            acquisitions=tuple(acquisitions), measured={**before, **self.supplied.series}, answered=self.supplied.exam
        )
        self._read: dict[tuple[str, int, int], Reading] = {}

    def reading(
        self, attribute: Attribute, acquisition: AnyAcquisition | None = None, before: AnyAcquisition | None = None
    ) -> Reading:
        """What `attribute` is for `acquisition`, compared with `before` where it is about a pair."""
        about = attribute.about
        if about is About.SERIES:
            before = None
        elif about is About.EXAM:
            acquisition = before = None
        # All facts stay alive in `exam` and in the caller's baseline, so that their identities are unique meanwhile.
        key = (attribute.key, id(acquisition), id(before))
        found = self._read.get(key)
        if found is None:
            found = self._or_supplied(attribute.read(self.exam, acquisition, before), attribute, acquisition)
            self._read[key] = found
        return found

    def reading_of_roles(self, attribute: Attribute, filled: FilledRoles) -> Reading:
        """What `attribute` is for the series that fill several roles."""
        return self._or_supplied(attribute.read(self.exam, filled=filled), attribute, None)

    def _or_supplied(self, found: Reading, attribute: Attribute, acquisition: AnyAcquisition | None) -> Reading:
        """`found`, or what was supplied where no header says it: a guess is no header."""
        if found.sure:
            return found
        supplied = None if acquisition is None else self.exam.measured_in(acquisition, attribute.key)
        if supplied is None and found.value is None:  # what is said of the whole exam does not tell a guess apart
            supplied = self.supplied.exam.get(attribute.key)
        return found if supplied is None else Reading.of(supplied)


def holds(demand: Demand, evidence: Evidence, acquisition: AnyAcquisition | None) -> tuple[bool | None, Reading]:
    """Whether `demand` is met, None if that is unknown; and the reading that it rests on."""
    bound = demand.bound
    operator = bound.operator
    reading = evidence.reading(bound.attribute, acquisition)
    if reading.value is None:
        return (False if operator.absence_fails else None), reading
    limit = demand.value if demand.by_vendor is None else _limit(demand, acquisition)
    if limit is None and operator.shape is not Shape.NOTHING:
        return None, reading
    value = reading.value if bound.factor == 1.0 else _scaled(reading.value, bound.factor)
    return operator.holds(value, limit, bound.tolerance), reading


def weigh(
    demand: Demand,
    evidence: Evidence,
    acquisition: AnyAcquisition | None,
    before: AnyAcquisition | None = None,
    baseline: Evidence | None = None,
) -> Judged:
    """The judgement of `demand` on `acquisition` (or on the exam), compared with `before` of the exam `baseline`."""
    bound = demand.bound
    limit: object = demand.value if demand.by_vendor is None else _limit(demand, acquisition)
    if demand.by_vendor is not None and acquisition is not None and limit is None:
        return _no_vendor_limit(acquisition)
    if bound.operator.needs_baseline:
        assert baseline is not None
        theirs = surely(baseline.reading(bound.attribute, before), bound.attribute)
        if theirs.value is None:
            return _unknown(
                theirs, None, why=text("of the baseline exam, {why}", why=theirs.why or bound.attribute.why)
            )
        limit = _scaled(theirs.value, bound.factor)
    return weigh_reading(demand, evidence.reading(bound.attribute, acquisition, before), limit)


def weigh_reading(demand: Demand, reading: Reading, limit: object = None) -> Judged:
    """The judgement of `demand` on a value that was read already, or on what is said instead of one.

    `limit` is the demand's own unless given: for one that depends on the vendor or on the baseline.
    """
    bound = demand.bound
    if limit is None:
        limit = demand.value
    said = _said(bound, limit)
    if reading.value is not None and not reading.sure:
        return _unknown(surely(reading, bound.attribute), said)
    if reading.value is not None:
        return _verdict(_scaled(reading.value, bound.factor), limit, said, bound, reading.remark)
    if bound.operator.absence_fails:
        return Judged(outcome=Outcome.FAIL, measured=text("not recorded"), limit=said, reason=reading.why)
    return _unknown(reading, said)


def surely(reading: Reading, attribute: Attribute) -> Reading:
    """`reading`; one that tells its value with too little certainty says so instead, and who can tell it."""
    if reading.value is None or reading.sure:
        return reading
    return Reading(
        certainty=reading.certainty,
        why=told_barely(attribute, reading),
        supply=attribute.doubtful,
        owner=Owner.TECHNOLOGIST if attribute.owner is Owner.ARCHIVE else attribute.owner,
    )


def limit_text(demand: Demand, acquisition: AnyAcquisition | None = None) -> Text:
    """What `demand` asks for, as people read it."""
    return _said(demand.bound, _limit(demand, acquisition))


def _verdict(value: Value, limit: object, said: Text, bound: Bound, remark: Text | None) -> Judged:
    operator, attribute = bound.operator, bound.attribute
    measured = as_text(value, unit=bound.unit, words=attribute.words)
    number = float(value) if isinstance(value, int | float) and is_number(value) else None
    distance = None if operator.beyond is None else operator.beyond(value, limit)
    if operator.holds(value, limit, bound.tolerance):
        return Judged(outcome=Outcome.PASS, measured=measured, limit=said, value=number, distance=distance)
    if remark is not None:
        reason = remark
    elif attribute.kind is Kind.FLAG:
        reason = text("{what}: {measured}", what=attribute.label, measured=measured)
    elif distance is not None and distance > 0:
        reason = text(
            "{measured} where the protocol asks for {limit}: {distance} outside",
            measured=measured,
            limit=said,
            distance=as_text(distance, unit=bound.unit),
        )
    else:
        reason = text("{measured} where the protocol asks for {limit}", measured=measured, limit=said)
    return Judged(outcome=Outcome.FAIL, measured=measured, limit=said, value=number, distance=distance, reason=reason)


def _said(bound: Bound, limit: object) -> Text:
    return bound.said or limit_said(bound.operator, limit, unit=bound.unit, words=bound.attribute.words)


def _limit(demand: Demand, acquisition: AnyAcquisition | None) -> Limit | None:
    if demand.by_vendor is None:
        return demand.value
    return demand.by_vendor.get(acquisition.device.vendor or "") if acquisition is not None else None


def _no_vendor_limit(acquisition: AnyAcquisition) -> Judged:
    if acquisition.device.vendor is None:
        return _unknown(attributes()["derived.vendor"].unknown, None)
    reason = text("the protocol has no limit for scanners of {vendor}", vendor=acquisition.device.vendor)
    return Judged(outcome=Outcome.NOT_APPLICABLE, reason=reason)


def _unknown(reading: Reading, said: Text | None, why: Text | None = None) -> Judged:
    return Judged(
        outcome=Outcome.UNKNOWN, limit=said, reason=why or reading.why, supply=reading.supply, owner=reading.owner
    )


def _scaled(value: Value, factor: float) -> Value:
    if factor == 1.0 or isinstance(value, str | bool):
        return value
    if isinstance(value, tuple):
        return tuple(one * factor for one in value if isinstance(one, int | float))
    return value * factor
