"""What a case that crosses consists of: a closed list of fields, and the digest of each object. All else is refused.

The manifest is signed as bytes and kept as those bytes, so that nobody has to write JSON the same way twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bingcheng.archive.pairing.change_fact import ChangeFact
from bingcheng.archive.pairing.problems import NOT_WHITELISTED
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

FIRST_FORM, NEWEST_FORM = 1, 3
"""The number at the end of `Manifest.format`; every release reads the first."""
CAME = MappingProxyType({"key_images": 2, "changes": 3})
"""With which form a field of the content came."""
LARGEST_MANIFEST = 8 << 20
LARGEST_OBJECT = 4 << 30
LARGEST_BUNDLE = 64 << 30
MOST_OBJECTS = 20_000
MOST_KEY_IMAGES = 40
LARGEST_SIDE = 65_535
"""Of an image: rows and columns are unsigned shorts (PS3.3 C.7.6.3)."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Uid = Annotated[str, Field(pattern=r"^(2\.25\.[0-9]{1,39}|[0-9]+(\.[0-9]+)+)$", max_length=64)]
# Lengths are said beside the patterns: a pattern that repeats letters of all scripts 64 times takes megabytes.
Code = Annotated[str, Field(pattern=r"^[\w.:/ +-]*$", max_length=64)]
Short = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=20_000)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Pixel = Annotated[float, Field(allow_inf_nan=False, ge=0, lt=LARGEST_SIDE)]

Form = Literal["bingcheng-case-1", "bingcheng-case-2", "bingcheng-case-3"]

_LOOKS_LIKE_A_PERSON = (
    # Runs of digits as long as somebody's number, a telephone or an identity card; and whole dates.
    re.compile(r"(?<![\d.])\d(?:[ -]?\d){6,}[\dXx]?(?![\d.])"),
    re.compile(r"(?<!\d)(?:19|20)\d\d[-./年]\s?\d{1,2}[-./月]\s?\d{1,2}"),
    # Begun only where a word begins: from each of its letters anew would take the square of its length.
    re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++\.[\w.]"),
)


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Exam(_Closed):
    """One exam of the case.

    Parameters
    ----------
    number : in time, from 1.
    study_uid : the one that its objects bear here.
    day : whole days since the first exam; None where no date is known.
    modalities : separated by spaces.
    """

    number: Annotated[int, Field(ge=1, le=1000)]
    study_uid: Uid
    day: Annotated[int, Field(ge=-40_000, le=40_000)] | None = None
    modalities: Code = ""
    instances: Annotated[int, Field(ge=0, le=MOST_OBJECTS)]


class Fact(_Closed):
    """One derived number: a measurement of a lesion of the case, or of a whole series; of no date."""

    exam: Annotated[int, Field(ge=1, le=1000)]
    lesion: Annotated[int, Field(ge=1, le=10_000)] | None = None
    modality: Code = ""
    key: Annotated[str, Field(pattern=r"^[\w.:-]+$", max_length=128)]
    label: Short
    unit: Annotated[str, Field(pattern=r"^[^\s<>]*$", max_length=32)]
    value: Number
    standard_uncertainty: Number | None = None


class ProtocolResult(_Closed):
    """How an exam of the case met a protocol, and of how many criteria."""

    exam: Annotated[int, Field(ge=1, le=1000)]
    protocol: Code
    outcome: Literal["pass", "fail", "unknown"]
    passed: Annotated[int, Field(ge=0, le=10_000)]
    failed: Annotated[int, Field(ge=0, le=10_000)]
    unknown: Annotated[int, Field(ge=0, le=10_000)]


class Question(_Closed):
    """One question of the quiz; `right` counts the choices from 0."""

    question: Long
    choices: Annotated[tuple[Short, ...], Field(min_length=2, max_length=8, strict=False)]
    right: Annotated[int, Field(ge=0, le=7)]
    explanation: Long = ""


class PointedImage(_Closed):
    """A key image: one of the case's objects, its frame from 1, the pixel that it points at, and what it shows.

    Parameters
    ----------
    x, y : column and row, from 0; both or neither.
    """

    sop_uid: Uid
    frame: Annotated[int, Field(ge=1, le=2**31 - 1)] = 1
    x: Pixel | None = None
    y: Pixel | None = None
    note: Short = ""

    @model_validator(mode="after")
    def _whole_place(self) -> PointedImage:
        if (self.x is None) != (self.y is None):
            raise ValueError("half a place")
        return self


class CaseContent(_Closed):
    """What is told about a case.

    Parameters
    ----------
    key_images : in the order in which they are shown; none in the first form.
    changes : of its lesions between its exams; none in the first two forms.
    diagnosis_code : a term's code, e.g. of ICD-O; empty without one.
    hospital : only where the publisher chose to show it.
    hidden : diagnosis, teaching points and answers are shown only when the reader asks for them.
    """

    title: Annotated[str, Field(min_length=1, max_length=200)]
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    context: Long = ""
    diagnosis: Long = ""
    diagnosis_code: Code = ""
    teaching: Long = ""
    body_part: Short = ""
    modality: Short = ""
    licence: Short = ""
    hospital: Short = ""
    hidden: bool = False
    tags: Annotated[tuple[Short, ...], Field(max_length=50, strict=False)] = ()
    questions: Annotated[tuple[Question, ...], Field(max_length=20, strict=False)] = ()
    exams: Annotated[tuple[Exam, ...], Field(max_length=1000, strict=False)] = ()
    facts: Annotated[tuple[Fact, ...], Field(max_length=20_000, strict=False)] = ()
    protocols: Annotated[tuple[ProtocolResult, ...], Field(max_length=1000, strict=False)] = ()
    key_images: Annotated[tuple[PointedImage, ...], Field(max_length=MOST_KEY_IMAGES, strict=False)] = ()
    changes: Annotated[tuple[ChangeFact, ...], Field(max_length=5000, strict=False)] = ()

    def words(self) -> Iterator[str]:
        """All that people wrote freely."""
        yield from (self.title, self.context, self.diagnosis, self.teaching, self.body_part, self.modality)
        yield from (self.licence, self.hospital, *self.tags)
        yield from (one.label for one in self.facts)
        yield from (one.note for one in self.key_images)
        for change in self.changes:
            yield from change.words()
        for one in self.questions:
            yield from (one.question, one.explanation, *one.choices)


class ListedObject(_Closed):
    """One object, by which it is known and what its bytes must be."""

    sop_uid: Uid
    sop_class_uid: Uid
    study_uid: Uid
    series_uid: Uid
    size: Annotated[int, Field(ge=132, le=LARGEST_OBJECT)]
    sha256: Digest


class ProofMethod(StrEnum):
    """How it was proved that nothing of the originals is left."""

    BYTES = "original-identifiers-searched-in-bytes"


class Deidentification(_Closed):
    """How identities were taken out, and that a second pass found nothing left.

    Parameters
    ----------
    codes : values of CID 7050 (scheme DCM).
    proved : how many objects the second pass looked through: all of them.
    """

    profile: Code
    codes: Annotated[tuple[Code, ...], Field(min_length=1, max_length=20, strict=False)]
    method: Annotated[ProofMethod, Field(strict=False)]
    proved: Annotated[int, Field(ge=1)]
    program: Short


class Manifest(_Closed):
    """A case as it crosses.

    Parameters
    ----------
    format : its form; the first that has a place for all of the content.
    name : of the bundle; made of origin, case and version, so that the same one is known again.
    origin : identifier of the key of the installation that published it.
    case : by which versions of one case are known, a digest that tells nothing.
    """

    format: Form
    name: Name
    origin: Digest
    case: Name
    version: Annotated[int, Field(ge=1, le=100_000)]
    content: CaseContent
    deidentification: Deidentification
    objects: Annotated[tuple[ListedObject, ...], Field(min_length=1, max_length=MOST_OBJECTS, strict=False)]

    def written(self) -> bytes:
        """As JSON, to be signed."""
        said = self.model_dump(mode="json")
        for name in later_fields(self.form):
            del said["content"][name]  # releases that don't know a form refuse its fields
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    @property
    def form(self) -> int:
        """The number of its form."""
        return int(self.format.rpartition("-")[2])

    def in_form(self, newest: int) -> Manifest:
        """The same for somebody who reads forms up to `newest`; what that form can't say is left out."""
        if newest >= self.form:
            return self
        content = self.content.model_copy(update=dict.fromkeys(later_fields(newest), ()))
        return self.model_copy(update={"format": format_of(content), "content": content})

    def pointed(self) -> dict[str, list[PointedImage]]:
        """The key images by the object that they are images of."""
        found: dict[str, list[PointedImage]] = {}
        for one in self.content.key_images:
            found.setdefault(one.sop_uid, []).append(one)
        return found

    @property
    def size(self) -> int:
        """Bytes of all objects."""
        return sum(one.size for one in self.objects)


def format_of(content: CaseContent) -> Form:
    """The oldest format that can say all of a case's content: the fewest installations can't read it."""
    if content.changes:
        return "bingcheng-case-3"
    return "bingcheng-case-2" if content.key_images else "bingcheng-case-1"


def later_fields(form: int) -> tuple[str, ...]:
    """The fields of the content that came after a form."""
    return tuple(name for name, came in CAME.items() if came > form)


def case_name(origin: str, case: int) -> str:
    """By which a case of an installation is known to others."""
    return _name(f"case\0{origin}\0{case}")


def bundle_name(origin: str, case: int, version: int) -> str:
    """By which one version of it is known."""
    return _name(f"bundle\0{origin}\0{case}\0{version}")


def read_manifest(written: bytes) -> Manifest:
    """The manifest, if nothing else stands in it.

    Raises
    ------
    InputError
        ``archive.not-whitelisted``: with the name of the field, never with what stands there.
    """
    if len(written) > LARGEST_MANIFEST:
        raise InputError(NOT_WHITELISTED, what=text("a manifest that is too large"))
    try:
        found = Manifest.model_validate(_json(written))
    except ValidationError as error:
        raise InputError(NOT_WHITELISTED, what=_where(error)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(NOT_WHITELISTED, what=text("a manifest that can't be read")) from error
    _check(found)
    return found


def _check(found: Manifest) -> None:
    """What no field can say by itself."""
    listed = {one.sop_uid for one in found.objects}
    distinct = len(listed) == len(found.objects)
    early = not found.content.model_fields_set.isdisjoint(later_fields(found.form))
    measured = {one.lesion for one in found.content.facts}
    exams = {one.number for one in found.content.exams}
    strange = any(one.lesion not in measured or not {one.before, one.after} <= exams for one in found.content.changes)
    wrong = (
        (not distinct, text("an object that is listed twice")),
        (found.size > LARGEST_BUNDLE, text("a case that is too large")),
        (found.deidentification.proved != len(found.objects), text("an object without a proof")),
        (early, text("a field of a later form")),
        (strange, text("a change of a lesion or an exam that the case does not have")),
        (
            any(one.sop_uid not in listed for one in found.content.key_images),
            text("a key image that is none of the case's images"),
        ),
        ("113100" not in found.deidentification.codes, text("a case that was not de-identified")),
        (
            any(tells_of_a_person(words) for words in found.content.words()),
            text("a long number, date or address in words"),
        ),
    )
    for holds, what in wrong:
        if holds:
            raise InputError(NOT_WHITELISTED, what=what)


def tells_of_a_person(words: str) -> bool:
    """Whether free words hold what looks like somebody's number, a whole date or an e-mail address."""
    return any(one.search(words) for one in _LOOKS_LIKE_A_PERSON)


def _json(written: bytes) -> Any:
    """The JSON value; a name that stands twice is refused, since two readers could take different ones."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("a name stands twice")
        return made

    def never(_: str) -> float:
        raise ValueError("no number")

    return json.loads(written.decode("utf-8"), object_pairs_hook=once, parse_constant=never)


def _where(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    # Where an unknown name stands, the name itself may tell something.
    parts = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]
    return ".".join(str(part) for part in parts) or "manifest"


def _name(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def stamped(moment: datetime) -> str:
    """A time in a document, to the minute: finer times would tell when somebody worked."""
    return f"{moment:%Y-%m-%dT%H:%MZ}"
