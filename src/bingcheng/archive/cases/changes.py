"""The changes that go with a case: how its lesions differ between its exams, and whether that is real."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from bingcheng.archive.cases import tables
from bingcheng.archive.codec import decoded, encoded
from bingcheng.compare.change import Change, Verdict
from bingcheng.compare.comparability import rules
from bingcheng.compare.lesions import LesionChange
from bingcheng.compare.verdict import modality_of
from bingcheng.core.units import UNITS
from bingcheng.core.wording import Fact, Text, text

_NUMBERS = re.compile(r"[-+0-9.,; ]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """How one value of a lesion changed between two exams of a case; lesion and exams by their numbers within it.

    Parameters
    ----------
    difference : in the unit; None where a value is missing, which `reasons` tell.
    percent : relative to the earlier value.
    low_percent, high_percent : what repeated exams of an unchanged lesion show; None where nothing is published.
    leads : whether it decided the verdict on the lesion.
    """

    lesion: int
    before: int
    after: int
    modality: str
    key: str
    label: str
    unit: str
    difference: float | None
    percent: float | None
    low_percent: float | None
    high_percent: float | None
    verdict: Verdict
    reasons: tuple[Text, ...]
    leads: bool


def carry_changes(
    connection: Connection,
    number: int,
    found: Iterable[LesionChange],
    exams: Mapping[str, int],
    lesions: Mapping[tuple[str, str], int],
) -> None:
    """Carry what became of a case's lesions into the case.

    Parameters
    ----------
    found : of the patient's lesions, those too that the case does not show.
    exams : the case's numbers of its exams, by original UID.
    lesions : the case's numbers of its lesions, by the exam's UID and the lesion's name there.
    """
    keep_changes(connection, number, [one for lesion in found for one in _shown(lesion, exams, lesions)])


def keep_changes(connection: Connection, number: int, found: Iterable[CaseChange]) -> None:
    """Let exactly these changes go with a case."""
    table = tables.case_change
    connection.execute(delete(table).where(table.c.case_id == number))
    rows = [
        {"case_id": number, "lesion": one.lesion, "before": one.before, "after": one.after, "record": encoded(one)}
        for one in found
    ]
    if rows:
        connection.execute(insert(table), rows)


def case_changes(connection: Connection, number: int) -> tuple[CaseChange, ...]:
    """The carried changes, by lesion; those first that decided."""
    table = tables.case_change.c
    rows = connection.scalars(select(table.record).where(table.case_id == number).order_by(table.id))
    return tuple(
        sorted(
            (decoded(CaseChange, one) for one in rows),
            key=lambda one: (one.lesion, not one.leads, one.before, one.after),
        )
    )


def _shown(
    lesion: LesionChange, exams: Mapping[str, int], lesions: Mapping[tuple[str, str], int]
) -> Iterator[CaseChange]:
    """Changes between two exams that the case shows, of a lesion that it shows in both."""
    for one in lesion.changes:
        uids = (one.before.exam_uid, one.after.exam_uid)
        numbers = [_number(lesion, uid, lesions) for uid in uids]
        if None not in numbers and numbers[0] == numbers[1] and all(uid in exams for uid in uids):
            yield _carried(one, number=numbers[0] or 0, exams=exams, leads=one == lesion.lead)


def _number(lesion: LesionChange, uid: str, lesions: Mapping[tuple[str, str], int]) -> int | None:
    """The case's number of a lesion as one exam shows it; None for what is seen there in pieces, or not carried."""
    names = lesion.names.get(uid, ())
    return lesions.get((uid, names[0])) if len(names) == 1 else None


def _carried(change: Change, *, number: int, exams: Mapping[str, int], leads: bool) -> CaseChange:
    measured = change.after.measurement
    low, high = change.limits_percent or (None, None)
    return CaseChange(
        lesion=number,
        before=exams[change.before.exam_uid],
        after=exams[change.after.exam_uid],
        modality=modality_of(change.after),
        key=measured.key,
        label=measured.label,
        unit=measured.unit,
        difference=change.difference,
        percent=change.percent,
        low_percent=low,
        high_percent=high,
        verdict=change.verdict,
        reasons=tuple(_without_words(reason) for reason in change.reasons),
        leads=leads,
    )


def _without_words(reason: Text) -> Text:
    """A reason without what a header says in words, such as a scanner's or a kernel's name: that stays in its hospital.

    Numbers and units stay. Where words are left out, the reason says which condition differs.
    """
    if all(_is_plain(fact) for fact in reason.facts.values()):
        return reason
    named = next((one.condition for one in rules().rules if one.reason == reason.template), None)
    if named is None:
        return _NOT_ALIKE
    return text("Not alike in both exams: {condition}.", condition=text(rules().conditions[named].label))


def _is_plain(fact: Fact | Text) -> bool:
    if isinstance(fact, Text):
        return all(_is_plain(one) for one in fact.facts.values())
    return not isinstance(fact, str) or bool(_NUMBERS.fullmatch(fact)) or fact in _SYMBOLS


_NOT_ALIKE = text("A condition that decides about comparing them is not alike in both exams.")
_SYMBOLS = frozenset(one.symbol for one in UNITS.values())


def same_lesions(found: Sequence[LesionChange]) -> Mapping[tuple[str, str], str]:
    """What a lesion is called over all exams, by an exam's UID and its name there; of pieces each keeps its name."""
    return {
        (uid, names[0]): one.lesion
        for one in found
        if all(len(names) == 1 for names in one.names.values())
        for uid, names in one.names.items()
    }
