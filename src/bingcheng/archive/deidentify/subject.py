"""Whom an object is of: from this come the pseudonym and the shift of dates."""

from __future__ import annotations

from dataclasses import dataclass

from bingcheng.archive.deidentify.charset import DEFAULT, decoded, encodings
from bingcheng.archive.deidentify.elements import Object
from bingcheng.archive.deidentify.key import PSEUDONYM, Key
from bingcheng.archive.deidentify.profile import Option, Profile

CHARSET, SOP_CLASS, SOP_INSTANCE, STUDY, SERIES = 0x00080005, 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_ID, _ISSUER, _NAME, _BIRTH = 0x00100020, 0x00100021, 0x00100010, 0x00100030


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One patient within a project.

    Parameters
    ----------
    pseudonym : name and number outside.
    shift_days : how far dates move back; zero for what this key cleaned before.
    patient_id, issuer, name, birth_date : the originals, for the key table.
    """

    pseudonym: str
    shift_days: int
    patient_id: str
    issuer: str
    name: str
    birth_date: str


def subject(found: Object, key: Key, profile: Profile, site: str, issuer: str = "") -> Subject:
    """The patient of an object.

    The same number means the same person only under one issuer; without an issuer, within one site. Without a number
    name and birth date mean one person; else each study is a person of its own.

    Parameters
    ----------
    issuer : who is taken as the issuer of a number that names none.
    """
    stated = found.first(CHARSET)
    known = encodings(stated.value) if stated else DEFAULT

    def said(tag: int, vr: str) -> str:
        one = found.first(tag)
        return "" if one is None else decoded(one.value, known, vr).strip()

    number, stated_issuer, name, birth = said(_ID, "LO"), said(_ISSUER, "LO"), said(_NAME, "PN"), said(_BIRTH, "DA")
    scope = f"issuer:{stated_issuer or issuer}" if stated_issuer or issuer else f"site:{site.casefold()}"
    if number:
        whose = f"number\x1f{scope}\x1f{number}"
    elif name and birth:
        whose = f"person\x1f{scope}\x1f{' '.join(name.casefold().split())}\x1f{birth}"
    else:
        whose = f"study\x1f{found.words(STUDY)}"
    # An object of ours into which an archive has put the true name again is cleaned as any other.
    ours = key.made(found.words(SOP_INSTANCE)) and PSEUDONYM.fullmatch(number) is not None and name in ("", number)
    return Subject(
        pseudonym=number if ours else key.pseudonym(whose),
        shift_days=0 if ours else key.shift_days(whose, whole_weeks=profile.has(Option.KEEP_WEEKDAY)),
        patient_id=number,
        issuer=stated_issuer,
        name=name,
        birth_date=birth,
    )
