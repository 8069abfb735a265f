"""What a person writes about a case, searched for what tells who the patient is: names, numbers, dates.

Only people of the patient's own hospital are told what was found; to others an answer would tell what the name is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from bingcheng.archive import schema
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.problems import TELLS_WHO
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.ownership import HOSPITALS, owned_by
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text

LEAST_LATIN, LEAST_HAN, LEAST_NUMBER = 3, 2, 4
"""Shorter ones occur by chance in any text."""
MOST_SHOWN = 5
_PARTS = re.compile(r"[\^=\s,;.\\/_-]+")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_DATE = re.compile(
    r"(?<!\d)(\d{4})(?:\s*[-./年]\s*|(?=\d{4}(?!\d)))(\d{1,2})(?:\s*[-./月]\s*|(?=\d{2}(?!\d)))(\d{1,2})(?!\d)"
)
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[-./](\d{1,2})[-./](\d{4})(?!\d)")
_LONG_NUMBERS = re.compile(r"(?<![\dX])(?:\d{17}[\dXx]|\d{15}|1[3-9]\d{9})(?![\dXx])")
"""Chinese identity numbers of 18 or 15 digits (GB 11643), and mobile telephone numbers."""
KINDS = {
    "name": text("a name"),
    "number": text("a number of the patient or the exam"),
    "date": text("a date"),
}
FIELDS = {
    "title": text("Title"),
    "context": text("Clinical context"),
    "diagnosis": text("Diagnosis"),
    "diagnosis_code": text("Code (ICD-O-3)"),
    "teaching": text("Teaching points"),
    "body_part": text("Organ"),
    "modality": text("Modality"),
    "tags": text("Tags"),
    "question": text("Question"),
    "key image": text("Key image"),
    "note": text("What it shows"),
    "remark": text("What is said about it here"),
    "description": text("Description"),
    "comment": text("Comment"),
    "reason": text("Reason"),
    "file": text("Name of the file"),
    "content": text("Words in the file"),
}
"""How the fields are called on the pages; of several of a kind the key ends in their number."""
_NUMBERED = re.compile(r"(.*\D) ?(\d+)")


@dataclass(slots=True)
class Identifiers:
    """What must not stand in the text, lower case; dates as YYYYMMDD."""

    names: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found: the field, the character from 1, and which kind of thing."""

    field: str
    position: int
    kind: str


def check_texts(connection: Connection, number: int, hospital: int, texts: Mapping[str, str]) -> None:
    """Raise if a text tells who the patient of a case is.

    Raises
    ------
    InputError
        ``archive.case-tells-who``: field, position and kind; never the words themselves.
    """
    places = list(found_in(texts, identifiers(connection, number, hospital)))
    if places:
        raise InputError(TELLS_WHO, where=said_of(places))


def identifiers(connection: Connection, number: int, hospital: int) -> Identifiers:
    """What the headers of a case's originals say of the patient."""
    chosen, held = tables.case_selection.c, stored_study.c
    studies = connection.scalars(select(chosen.study_uid).where(chosen.case_id == number).distinct()).all()
    found = Identifiers()
    query = select(
        held.name_alphabetic_key,
        held.name_ideographic_key,
        held.name_phonetic_key,
        held.referring_key,
        held.patient_id_key,
        held.accession_key,
        held.birth_date_key,
        held.study_date_key,
    ).where(held.space == f"{HOSPITALS}{hospital}", held.study_uid.in_(studies))
    for row in connection.execute(query):
        for name in row[:4]:
            _add_name(found, name)
        _add_numbers(found, row[4:6])
        found.dates.update(one[:8] for one in row[6:] if one)
    exam, who = schema.exam.c, schema.identity.c
    assessed = (
        select(who.name, who.patient_id, who.birth_date, exam.performed_at)
        .join_from(schema.exam, schema.identity, who.patient == exam.patient)
        # Not of another hospital's exam of the same UID: what is refused here would tell who its patient is.
        .where(exam.uid.in_(studies), owned_by(connection, hospital))
    )
    for name, number_said, birth, performed in connection.execute(assessed):
        _add_name(found, name or "")
        _add_numbers(found, (number_said,))
        found.dates.update(one for one in (birth or "", f"{performed:%Y%m%d}" if performed else "") if len(one) == 8)
    return found


def found_in(texts: Mapping[str, str], known: Identifiers) -> Iterator[Place]:
    """Each place of a text that holds one of the identifiers, or any full date, identity or telephone number."""
    for name, said in texts.items():
        low = said.casefold()
        for one in known.names:
            yield from (Place(name, at, "name") for at in _stands(low, one))
        for one in known.numbers:
            yield from (Place(name, at, "number") for at in _stands(low, one))
        yield from (Place(name, found.start() + 1, "number") for found in _LONG_NUMBERS.finditer(said))
        yield from (Place(name, at, "date") for at, _ in dates_in(said))
        for one in known.dates:
            yield from (Place(name, at, "date") for at in _stands(low, one))


def dates_in(said: str) -> Iterator[tuple[int, str]]:
    """Where full dates stand, and which (YYYYMMDD): years and months alone may stay."""
    for pattern, order in ((_DATE, (1, 2, 3)), (_DAY_FIRST, (3, 2, 1))):
        for found in pattern.finditer(said):
            year, month, day = (int(found[group]) for group in order)
            if 1850 <= year <= 2200 and 1 <= month <= 31 and 1 <= day <= 31 and min(month, day) <= 12:
                yield found.start() + 1, f"{year:04d}{month:02d}{day:02d}"


def _stands(low: str, needle: str) -> Iterator[int]:
    """Where a word stands by itself; a Chinese name also within other characters."""
    pattern = re.escape(needle)
    if not _HAN.fullmatch(needle):
        pattern = rf"(?<![^\W_]){pattern}(?![^\W_])" if needle.isascii() else pattern
    yield from (found.start() + 1 for found in re.finditer(pattern, low))


def _add_name(found: Identifiers, said: str) -> None:
    for group in said.casefold().split("="):
        parts = [part for part in _PARTS.split(group) if part]
        # Chinese family and given names are written as one word, in either order of a Latin spelling too.
        for word in (*parts, "".join(parts), "".join(reversed(parts))):
            least = LEAST_HAN if _HAN.fullmatch(word) else LEAST_LATIN
            if len(word) >= least and not word.isdecimal():
                found.names.add(word)


def _add_numbers(found: Identifiers, said: tuple[str | None, ...]) -> None:
    for one in said:
        clean = (one or "").strip().casefold()
        if len(clean) >= LEAST_NUMBER or (clean and not clean.isdecimal()):
            found.numbers.add(clean)


def said_of(places: list[Place]) -> Text:
    """What was found and where, never the words themselves; at least one place."""
    first = sorted(set(places), key=lambda one: (one.field, one.position))[:MOST_SHOWN]
    joined: Text = _place(first[0])
    for one in first[1:]:
        joined = text("{one}; {other}", one=joined, other=_place(one))
    return joined


def _place(one: Place) -> Text:
    said = _NUMBERED.fullmatch(one.field)
    words: Text | str = FIELDS.get(said[1].strip() if said else one.field, one.field)
    if said:
        words = text("{name} {number}", name=words, number=said[2])
    return text("{kind} in “{field}” at character {position}", kind=KINDS[one.kind], field=words, position=one.position)
