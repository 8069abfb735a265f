"""``bingcheng deidentify``: files cleaned into a folder, or what would be done to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from bingcheng.archive.deidentify.approvals import read_approvals
from bingcheng.archive.deidentify.batch import Deidentified, Deidentifier, State
from bingcheng.archive.deidentify.devices import Region, own_rules, shipped_rules
from bingcheng.archive.deidentify.key import Key
from bingcheng.archive.deidentify.key_table import KeyTable, Secret, in_file
from bingcheng.archive.deidentify.profile import Profile, known_profiles
from bingcheng.archive.deidentify.well_known import is_uid
from bingcheng.cli.deidentify_input import given_files
from bingcheng.cli.exits import GATE, NOTHING_FOUND, OK, print_json
from bingcheng.cli.usage import WrongUsage
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text
from bingcheng.outputs.language import Language
from bingcheng.outputs.whole_file import whole_file

NO_KEY = Problem(
    code="cli.deidentify-no-key",
    says="no key is named",
    remedy="Name a key file with --key; it is made if it doesn't exist. Keep it: without it nothing can be continued.",
    owner=Owner.OPERATOR,
)
NO_PLACE = Problem(
    code="cli.deidentify-no-place",
    says="it isn't said what is to be cleaned, or where to put it",
    remedy="Name a folder or file and a folder for the results; or use --preview.",
    owner=Owner.OPERATOR,
)
INSIDE = Problem(
    code="cli.deidentify-inside",
    says="the results would lie among the originals",
    remedy="Name a folder outside the first one.",
    owner=Owner.OPERATOR,
)
NO_TABLE = Problem(
    code="cli.deidentify-no-table",
    says="whom a pseudonym stands for is known only from a key table",
    remedy="Name the table with --table.",
    owner=Owner.OPERATOR,
)
NOT_KNOWN = Problem(
    code="cli.deidentify-not-known",
    says="the key table doesn't know '{name}'",
    remedy="Look whether it is written as in the files, and whether it is the right table.",
    owner=Owner.OPERATOR,
)
CANT_WRITE = Problem(
    code="cli.deidentify-cant-write",
    says="the results can't be written ({error})",
    remedy="Free some space, or name another folder; what was written is whole.",
    owner=Owner.OPERATOR,
)
SAME_UID = Problem(
    code="cli.deidentify-same-uid",
    says="another file before it is the same object by its UID, and says something else",
    remedy="Keep the right one of the two, or give each a folder for its results.",
    owner=Owner.ARCHIVE,
)
PROJECT = "files"
"""Name of the one project of a key table in a file of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for; see the options of the command."""

    source: Path | None
    target: Path | None
    profile: str
    key: Path | None
    table: Path | None
    original: str | None
    site: str
    issuer: str
    preview: bool
    approve: Path | None
    devices: Path | None
    pictures: Path | None
    read_text: bool
    list: bool
    json: bool


@dataclass(slots=True)
class Tally:
    """What became of the files.

    Parameters
    ----------
    patients : pseudonyms, and of how many files each.
    numbers : by patient's number and issuer (empty: none) the pseudonym; holds patient data.
    troubles : files that wait or were refused, by the code of the problem.
    seen : what each cleaned file holds, as a digest, by its name.
    """

    done: int = 0
    files: int = 0
    patients: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    troubles: dict[str, list[Deidentified]] = field(default_factory=dict)
    pictures: list[Path] = field(default_factory=list)
    previews: list[Deidentified] = field(default_factory=list)
    seen: dict[str, bytes] = field(default_factory=dict)

    def is_another(self, one: Deidentified) -> bool:
        """Whether an object of the same UID came before that says something else."""
        digest = sha256(one.data or b"").digest()
        return self.seen.setdefault(one.name, digest) != digest

    def split(self) -> list[tuple[str, ...]]:
        """Pseudonyms that are perhaps of one patient: his number stands with an issuer here, without one there."""
        several = (set(one.values()) for one in self.numbers.values() if "" in one)
        return sorted(tuple(sorted(one)) for one in several if len(one) > 1)


def run_deidentify(request: Request, language: Language) -> int:
    """Clean, preview, list or look up."""
    from bingcheng.cli import deidentify_terminal as terminal  # noqa: PLC0415 - rich, not needed for JSON alone

    if request.list:
        profiles = [Profile.named(name) for name in known_profiles()]
        if request.json:
            print_json([terminal.profile_as_json(one, language) for one in profiles])
        else:
            terminal.print_profiles(profiles, language)
        return OK
    if request.key is None:
        raise WrongUsage(NO_KEY)
    if request.original is not None:
        return _original(request, language)
    tally = _cleaned(request)
    if not tally.files:
        if request.json:
            print_json(terminal.as_json(tally, language))
        else:
            terminal.print_nothing_found(language)
        return NOTHING_FOUND
    if request.json:
        print_json(terminal.as_json(tally, language))
    else:
        terminal.print_tally(tally, request.target, language, preview=request.preview)
    return GATE if tally.troubles else OK


def _cleaned(request: Request) -> Tally:
    source, target = request.source, request.target
    if source is None or request.key is None or (target is None and not request.preview):
        raise WrongUsage(NO_PLACE)
    if target is not None and source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        raise WrongUsage(INSIDE)
    profile = Profile.named(request.profile) if request.profile in known_profiles() else _own(request.profile)
    approvals = read_approvals(request.approve) if request.approve else {}
    devices = (*own_rules(request.devices), *shipped_rules()) if request.devices else shipped_rules()
    secret = Secret.key_file(request.key)
    key = _key(secret, request.table)
    worker = Deidentifier(
        profile=profile,
        key=key,
        site=request.site,
        issuer=request.issuer,
        approvals=approvals,
        devices=devices,
        preview=request.preview,
    )
    tally = Tally()
    kept: list[Deidentified] = []
    try:
        for name, data in given_files(source):
            if isinstance(data, InputError):
                _take(Deidentified(source=name, state=State.REFUSED, problem=data), b"", request, tally, kept)
            else:
                _take(worker.one(data, name), data, request, tally, kept)
    finally:  # a full disk or a person stopped it: who is in what was written must be known all the same
        if request.table is not None and kept:
            with in_file(request.table) as connection:
                _opened(connection, secret).record(connection, kept)
    return tally


def _own(name: str) -> Profile:
    path = Path(name)
    return Profile.read(path) if path.is_file() else Profile.named(name)


def _key(secret: Secret, table: Path | None) -> Key:
    if table is None:
        return secret.key()
    with in_file(table) as connection:
        return _opened(connection, secret).key


def _opened(connection: Any, secret: Secret) -> KeyTable:
    # The key is the file's own, so that files cleaned with and without a table fit together.
    found = KeyTable.open(connection, PROJECT, secret)
    return found if found is not None else KeyTable.make(connection, PROJECT, secret, secret.key())


def _take(one: Deidentified, data: bytes, request: Request, tally: Tally, kept: list[Deidentified]) -> None:
    tally.files += 1
    if one.data is not None and tally.is_another(one):
        one = Deidentified(source=one.source, state=State.REFUSED, problem=InputError(SAME_UID), subject=one.subject)
    if request.preview:
        tally.previews.append(one)
    if one.subject is not None and one.subject.patient_id:
        tally.numbers.setdefault(one.subject.patient_id, {})[one.subject.issuer] = one.subject.pseudonym
    if one.problem is not None:
        tally.troubles.setdefault(one.problem.code, []).append(one)
        if one.state is State.PERSON and one.reason is not None and request.pictures is not None:
            with suppress(Undrawable):
                tally.pictures.append(_picture(one, data, request.pictures, read=request.read_text))
        return
    tally.done += 1
    if one.subject is None or one.data is None:
        return
    name = one.subject.pseudonym
    tally.patients[name] = tally.patients.get(name, 0) + 1
    if request.target is not None and not request.preview:
        folder = request.target / name / one.study_instance_uid / one.series_instance_uid
        _write(folder, one.name, one.data)
    if request.table is not None and not request.preview:
        kept.append(replace(one, data=b""))  # only who is who, not the pixels


def _write(folder: Path, name: str, data: bytes) -> None:
    try:
        with whole_file(folder / name) as unfinished:
            unfinished.write_bytes(data)
    except OSError as error:
        raise InputError(CANT_WRITE, error=type(error).__name__) from error


class Undrawable(Exception):  # noqa: N818 - a signal between two functions
    """The picture can't be decoded: that is why it waits, and there is nothing to look at."""


def _picture(one: Deidentified, data: bytes, folder: Path, *, read: bool) -> Path:
    from bingcheng.archive.deidentify.pictures import before_and_after, views  # noqa: PLC0415 - heavy

    regions: list[Region] = list(one.regions)
    try:
        seen = views(data) if read else ()
        drawn = before_and_after(data, regions)
    except InputError as error:
        raise Undrawable from error
    if read:
        from bingcheng.archive.deidentify.ocr import read_text  # noqa: PLC0415 - an extra

        regions += [found.region for view in seen for found in read_text(view)]
        drawn = before_and_after(data, regions)
    uid = one.sop_instance_uid
    # A name that the file makes up isn't a name to write under.
    path = folder / f"{uid if is_uid(uid) else sha256(uid.encode()).hexdigest()}.png"
    _write(folder, path.name, drawn)
    return path


def _original(request: Request, language: Language) -> int:
    from bingcheng.cli import deidentify_terminal as terminal  # noqa: PLC0415 - rich, not needed for JSON alone

    if request.table is None or not request.table.is_file() or request.key is None or not request.key.is_file():
        raise WrongUsage(NO_TABLE)
    name = request.original or ""
    with in_file(request.table, looking=True) as connection:
        table = KeyTable.open(connection, PROJECT, Secret.key_file(request.key))
        found = None if table is None else table.original(connection, name)
    if found is None:
        raise InputError(NOT_KNOWN, name=name)
    facts: Mapping[str, str] = found.facts
    if request.json:
        print_json({"kind": found.kind.value, **facts})
    else:
        terminal.print_original(facts, language)
    return OK


def problems_of(listed: Sequence[Deidentified]) -> tuple[Text, Text] | None:
    """What is wrong with files of one kind of problem, and what to do."""
    problem = listed[0].problem
    if problem is None:
        return None
    return problem.reason, Text(problem.problem.remedy, problem.reason.facts)
