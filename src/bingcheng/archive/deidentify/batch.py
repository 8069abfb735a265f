"""Objects de-identified: the way in for whoever publishes cases, and for the command line.

for result in deidentified(paths, Profile.named("teaching"), key, site="North"):
    if result.state is State.DONE:
        ...  # result.data, result.name
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from bingcheng.archive.deidentify import burned_in, diffusion
from bingcheng.archive.deidentify.blank import blanked
from bingcheng.archive.deidentify.burned_in import Picture, PictureState
from bingcheng.archive.deidentify.change import REASONS, Change, named, numbered
from bingcheng.archive.deidentify.clean import Cleaner
from bingcheng.archive.deidentify.devices import DeviceRule, Region, shipped_rules
from bingcheng.archive.deidentify.elements import Object, read, written
from bingcheng.archive.deidentify.faces import Face, face
from bingcheng.archive.deidentify.high_bits import without_high_bits
from bingcheng.archive.deidentify.key import Key
from bingcheng.archive.deidentify.marks import marked, marks, meta, words_of
from bingcheng.archive.deidentify.problems import (
    BROKEN,
    FACE_NEEDS_A_PERSON,
    LEAK,
    NO_CLASS,
    PIXELS_NEED_A_PERSON,
    UNKNOWN_SYNTAX,
    UNSAFE_KIND,
)
from bingcheng.archive.deidentify.profile import Option, Profile
from bingcheng.archive.deidentify.proof import leaks, needles, summary
from bingcheng.archive.deidentify.rules import Action, Rules
from bingcheng.archive.deidentify.strangers import strangers
from bingcheng.archive.deidentify.streams import is_known, without_others
from bingcheng.archive.deidentify.subject import SERIES, SOP_CLASS, SOP_INSTANCE, STUDY, Subject, subject
from bingcheng.archive.deidentify.well_known import is_class
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.wording import Text

if TYPE_CHECKING:
    from pydicom import Dataset

_STORAGE = "1.2.840.10008.5.1.4.1.1."
UNSAFE_CLASSES = frozenset(
    (
        *("1.2.840.10008.1.3.10", _STORAGE + "66"),
        *(_STORAGE + f"104.{number}" for number in range(1, 6)),
        *(_STORAGE + f"77.1.{end}" for end in ("1.1", "2.1", "4.1")),
        *(_STORAGE + f"9.4.{number}" for number in (1, 2)),
    )
)
"""File sets, raw data, encapsulated documents, films, voices: what is in them can't be looked through."""
_FILMS = "1.2.840.10008.1.2.4.10"


class State(StrEnum):
    """What became of one object."""

    DONE = "done"
    PERSON = "person"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a person decided about one object.

    Parameters
    ----------
    regions : what is blanked; empty where the picture is clean to their eyes; None where they didn't look at it.
    face_allowed : whether it may leave although a face could be reconstructed.
    """

    regions: tuple[Region, ...] | None = None
    face_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deidentified:
    """One object, cleaned, or why not.

    Parameters
    ----------
    source : what the caller called it.
    state : DONE: `data` may leave; PERSON: waits for an `Approval`; REFUSED: may not leave.
    data : the cleaned file; None unless DONE.
    name : of the file, from its new UID; empty unless DONE.
    sop_instance_uid : the original's, empty if it can't be read; by it approvals are given.
    study_instance_uid, series_instance_uid : the new ones; empty unless DONE.
    problem : why it is not DONE.
    reason : for a person, what speaks for burned-in text.
    regions : what was blanked, or what is proposed.
    face : whether a face could be reconstructed.
    changes : what was done to which attribute, where a preview was asked for; holds patient data.
    uids : new UIDs by old ones.
    subject : the patient, new and old; for the key table.
    """

    source: str
    state: State
    data: bytes | None = None
    name: str = ""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    problem: BingchengError | None = None
    reason: Text | None = None
    regions: tuple[Region, ...] = ()
    face: Face = Face.NO
    changes: tuple[Change, ...] = ()
    uids: Mapping[str, str] = field(default_factory=dict)
    subject: Subject | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deidentifier:
    """De-identifies objects one by one; the same key gives the same pseudonyms, whichever batch or order.

    Parameters
    ----------
    site : the hospital; the same patient number means the same person only within it (or under one issuer).
    issuer : who issues the hospital's patient numbers; an object that names no issuer is taken as of this one. Empty:
        a number with an issuer and the same one without are two persons.
    approvals : what persons decided, by the original's SOP Instance UID, or by its Series Instance UID for all of it.
    devices : where devices burn in text.
    preview : whether every change is told; nothing else differs.
    """

    profile: Profile
    key: Key = field(repr=False)
    site: str = ""
    issuer: str = ""
    approvals: Mapping[str, Approval] = field(default_factory=lambda: MappingProxyType({}))
    devices: Sequence[DeviceRule] = field(default_factory=shipped_rules)
    preview: bool = False
    rules: Rules = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", Rules(self.profile))

    def one(self, data: bytes, source: str = "") -> Deidentified:
        """One DICOM file, cleaned and proved, or why it may not leave. Nothing is raised for what is in the file."""
        try:
            found = read(data)
            _checked(found)
        except InputError as error:
            return Deidentified(source=source, state=State.REFUSED, problem=error)
        try:
            return self._cleaned(found, data, source)
        except InputError as error:
            uid = found.words(SOP_INSTANCE)
            return Deidentified(source=source, state=State.REFUSED, problem=error, sop_instance_uid=uid)

    def _cleaned(self, found: Object, data: bytes, source: str) -> Deidentified:
        uid = found.words(SOP_INSTANCE)
        approval = self.approvals.get(uid) or self.approvals.get(found.words(SERIES)) or Approval()
        seen = face(found)
        picture = burned_in.judged(found, self.devices, approval.regions)
        whose = subject(found, self.key, self.profile, self.site, self.issuer)
        if picture.state is not PictureState.PERSON:
            without_others(found)
            without_high_bits(found)
        weighting = diffusion.told(found)
        if weighting:
            found.elements = sorted((*found.elements, *weighting), key=lambda one: one.tag)
        cleaner = Cleaner(self.rules, self.key, whose, self.preview)
        cleaner.clean(found)
        changes = [*cleaner.changes, *self._added(picture, seen)]
        if self.preview:
            changes += diffusion.shown(weighting, little=found.little)
        waiting = Deidentified(
            source=source,
            state=State.PERSON,
            sop_instance_uid=uid,
            problem=self._waiting(picture, seen, approval),
            reason=picture.reason,
            regions=picture.regions,
            face=seen,
            changes=tuple(changes),
            subject=whose,
        )
        if waiting.problem is not None:
            return waiting
        if picture.state is PictureState.BLANK:
            blanked(found, picture.regions)
        found.elements = marked(found.elements, marks(self.profile, picture.state, seen, private=_has_private(found)))
        name = f"{found.words(SOP_INSTANCE)}.dcm"
        result = written(found, meta(found))
        self._prove(data, result, found, cleaner, name)
        return replace(
            waiting,
            state=State.DONE,
            reason=None,
            data=result,
            name=name,
            study_instance_uid=found.words(STUDY),
            series_instance_uid=found.words(SERIES),
            uids=cleaner.uids,
        )

    def _waiting(self, picture: Picture, seen: Face, approval: Approval) -> InputError | None:
        if picture.state is PictureState.PERSON:
            return InputError(PIXELS_NEED_A_PERSON)
        if seen is not Face.NO and self.profile.has(Option.NO_FACES) and not approval.face_allowed:
            return InputError(FACE_NEEDS_A_PERSON)
        return None

    def _added(self, picture: Picture, seen: Face) -> Iterator[Change]:
        if not self.preview:
            return
        state = PictureState.CLEAN if picture.state is PictureState.PERSON else picture.state
        for one in marks(self.profile, state, seen).elements:
            after = f"[{len(one.items)}]" if one.items is not None else one.value.decode("ascii")
            path, reason = numbered(one.tag), REASONS[Action.ADD]
            yield Change(path=path, name=named(one.tag), action=Action.ADD, before="", after=after, reason=reason)
        if picture.regions:
            regions = "; ".join(f"{one.x},{one.y} {one.width}x{one.height}" for one in picture.regions)
            reason = REASONS[Action.BLANK]
            yield Change(
                path="(7fe0,0010)", name="Pixel Data", action=Action.BLANK, before="", after=regions, reason=reason
            )

    def _prove(self, data: bytes, result: bytes, found: Object, cleaner: Cleaner, name: str) -> None:
        try:
            searched = needles(data, self.profile)
            left = list(strangers(result, self.profile, cleaner.subject.pseudonym))
        except Exception as error:  # whatever another parser says of a damaged file: nothing is proved
            raise InputError(BROKEN) from error
        if cleaner.subject.shift_days == 0:  # cleaned before by this key: what is there are pseudonyms already
            searched.uids = {uid for uid in searched.uids if not self.key.made(uid)}
            searched.names.discard(cleaner.subject.pseudonym.casefold())
            searched.values.discard(cleaner.subject.pseudonym.casefold())
            searched.dates.clear()
        own = [*cleaner.uids.values(), cleaner.subject.pseudonym, *words_of(self.profile)]
        left += leaks(result, found.pixels_at, searched, cleaner.told, own, name)
        if left:
            raise InputError(LEAK, kinds=summary(left), count=len(left))


def _checked(found: Object) -> None:
    kind = found.words(SOP_CLASS)
    if not is_class(kind) or not found.words(SOP_INSTANCE):
        raise InputError(NO_CLASS)
    if kind in UNSAFE_CLASSES or found.syntax.startswith(_FILMS):
        raise InputError(UNSAFE_KIND)
    if not is_known(found.syntax):
        raise InputError(UNKNOWN_SYNTAX)


def _has_private(found: Object) -> bool:
    return any(one.tag >> 16 & 1 for one in found.elements)


Source = Path | bytes


def deidentified(
    sources: Iterable[Source | tuple[str, bytes] | Dataset],
    profile: Profile,
    key: Key,
    *,
    site: str = "",
    issuer: str = "",
    approvals: Mapping[str, Approval] | None = None,
    devices: Sequence[DeviceRule] | None = None,
    preview: bool = False,
) -> Iterator[Deidentified]:
    """Each object cleaned and proved, or why it may not leave, one at a time.

    Parameters
    ----------
    sources : files, their bytes (alone or with a name), or pydicom datasets. A file's name stays with the hospital:
        the result is named by its new UID.
    site, issuer, approvals, devices, preview : see `Deidentifier`.

    Raises
    ------
    OSError
        a file can't be read.
    """
    worker = Deidentifier(
        profile=profile,
        key=key,
        site=site,
        issuer=issuer,
        approvals=approvals or {},
        devices=shipped_rules() if devices is None else devices,
        preview=preview,
    )
    for source in sources:
        if isinstance(source, Path):
            yield worker.one(source.read_bytes(), str(source))
        elif isinstance(source, bytes):
            yield worker.one(source)
        elif isinstance(source, tuple):
            yield worker.one(source[1], source[0])
        else:
            yield worker.one(_bytes_of(source))


def _bytes_of(dataset: Dataset) -> bytes:
    import io  # noqa: PLC0415 - beside its only use

    from pydicom import dcmwrite  # noqa: PLC0415 - heavy

    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()
