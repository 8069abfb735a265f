"""The key table of a hospital or project: which original stands behind which pseudonym and UID, encrypted.

The project's own keys are wrapped (AES-256-GCM) by one made of a passphrase (scrypt) or of a key file (HKDF). Whoever
reads the database without it learns how many patients and objects went out, nothing else.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import URL, Connection, create_engine, event, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from bingcheng.archive.batches import batches
from bingcheng.archive.deidentify.batch import Deidentified
from bingcheng.archive.deidentify.key import Key
from bingcheng.archive.deidentify.problems import BAD_KEY, DAMAGED_KEY_TABLE, NO_KEY_FILE, NO_TABLE_FILE, WEAK_KEY
from bingcheng.archive.deidentify.tables import deidentify_entry, deidentify_project
from bingcheng.archive.schema import metadata
from bingcheng.core.errors import InputError

SCRYPT_COST = 16
"""N = 2^16, r = 8, p = 2: one of OWASP's equal choices (Password Storage Cheat Sheet), 64 MiB."""
LEAST_PASSPHRASE = 12
LEAST_FILE_BYTES = 32
WAIT_S = 60
"""For another run that writes the same file."""
NONCE_BYTES, SALT_BYTES, KEY_BYTES = 12, 16, 32


class EntryKind(StrEnum):
    """What an entry of the table tells."""

    PATIENT = "patient"
    UID = "uid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What opens a key table.

    Parameters
    ----------
    words : a passphrase of at least 12 characters, or the bytes of a key file (at least 32).
    cost : of scrypt, as a power of two; 0 for a key file.

    Raises
    ------
    InputError
        ``archive.weak-key``.
    """

    words: bytes = field(repr=False)
    cost: int

    @staticmethod
    def passphrase(words: str, cost: int = SCRYPT_COST) -> Secret:
        """A passphrase that a person remembers."""
        if len(words) < LEAST_PASSPHRASE:
            raise InputError(WEAK_KEY, least=LEAST_PASSPHRASE)
        return Secret(words=words.encode(), cost=cost)

    @staticmethod
    def key_file(path: Path) -> Secret:
        """A file of random bytes; made, for its owner only, if it doesn't exist.

        Raises
        ------
        InputError
            ``archive.no-key-file``, ``archive.weak-key``.
        """
        try:
            if not path.exists():
                _make_key_file(path)
            words = path.read_bytes().strip()
        except OSError as error:
            raise InputError(NO_KEY_FILE, error=type(error).__name__) from error
        if len(words) < LEAST_FILE_BYTES:
            raise InputError(WEAK_KEY, least=LEAST_FILE_BYTES)
        return Secret(words=words, cost=0)

    def key(self) -> Key:
        """The pseudonyms' key that belongs to a key file where no table is kept."""
        return Key(self._derived(b"bingcheng pseudonyms"))

    def wrapping(self, salt: bytes) -> bytes:
        """The key that wraps those of a project."""
        if self.cost:
            return Scrypt(salt=salt, length=KEY_BYTES, n=1 << self.cost, r=8, p=2).derive(self.words)
        return self._derived(b"bingcheng key table", salt)

    def _derived(self, purpose: bytes, salt: bytes | None = None) -> bytes:
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=purpose).derive(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What stands behind a pseudonym or a UID.

    Parameters
    ----------
    facts : ``patient_id``, ``issuer``, ``name`` and ``birth_date`` of a patient; ``uid`` of a UID.
    """

    kind: EntryKind
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyTable:
    """An open key table.

    Parameters
    ----------
    project : its row.
    key : of the pseudonyms.
    """

    project: int
    key: Key = field(repr=False)
    sealing: bytes = field(repr=False)

    @staticmethod
    def make(connection: Connection, name: str, secret: Secret, key: Key | None = None) -> KeyTable:
        """A new table of a project; with a new key unless one is given."""
        key, sealing, salt = key or Key.new(), secrets.token_bytes(KEY_BYTES), secrets.token_bytes(SALT_BYTES)
        row = {
            "name": name,
            "made_at": datetime.now(UTC).replace(tzinfo=None),
            "salt": salt,
            "cost": secret.cost,
            "wrapped": _sealed(secret.wrapping(salt), sealing + key.secret, name),
        }
        made = connection.execute(insert(deidentify_project).values(row)).inserted_primary_key
        return KeyTable(project=int(made[0]) if made else 0, key=key, sealing=sealing)

    @staticmethod
    def open(connection: Connection, name: str, secret: Secret) -> KeyTable | None:
        """The table of a project; None if it has none yet.

        Raises
        ------
        InputError
            ``archive.bad-key``.
        """
        row = connection.execute(select(deidentify_project).where(deidentify_project.c.name == name)).first()
        if row is None:
            return None
        if bool(row.cost) != bool(secret.cost):
            raise InputError(BAD_KEY)
        meant = Secret(words=secret.words, cost=row.cost)
        keys = _opened(meant.wrapping(row.salt), row.wrapped, name)
        if keys is None:
            raise InputError(BAD_KEY)
        return KeyTable(project=row.id, key=Key(keys[KEY_BYTES:]), sealing=keys[:KEY_BYTES])

    def record(self, connection: Connection, results: Iterable[Deidentified]) -> int:
        """Keep what stands behind the pseudonyms and UIDs of cleaned objects; how many entries are new."""
        entries: dict[tuple[EntryKind, str], Mapping[str, str]] = {}
        for one in results:
            if one.data is None or one.subject is None:
                continue
            whose = one.subject
            if whose.shift_days:
                entries[EntryKind.PATIENT, whose.pseudonym] = {
                    "patient_id": whose.patient_id,
                    "issuer": whose.issuer,
                    "name": whose.name,
                    "birth_date": whose.birth_date,
                }
            entries |= {(EntryKind.UID, new): {"uid": old} for old, new in one.uids.items() if old != new}
        known = self._known(connection, {replacement for _, replacement in entries})
        rows = [
            {
                "project": self.project,
                "kind": kind.value,
                "replacement": replacement,
                "sealed": self._seal(kind, replacement, facts),
            }
            for (kind, replacement), facts in entries.items()
            if (kind.value, replacement) not in known
        ]
        if rows:
            connection.execute(insert(deidentify_entry), rows)
        return len(rows)

    def _known(self, connection: Connection, replacements: set[str]) -> set[tuple[str, str]]:
        table, known = deidentify_entry, set()
        for some in batches(sorted(replacements)):
            asked = select(table.c.kind, table.c.replacement).where(
                table.c.project == self.project, table.c.replacement.in_(some)
            )
            known |= {(row.kind, row.replacement) for row in connection.execute(asked)}
        return known

    def original(self, connection: Connection, replacement: str) -> Original | None:
        """What stands behind a pseudonym or new UID: re-identification. None if the table doesn't know it.

        Raises
        ------
        InputError
            ``archive.damaged-key-table``.
        """
        table = deidentify_entry
        asked = select(table).where(table.c.project == self.project, table.c.replacement == replacement)
        row = connection.execute(asked).first()
        if row is None:
            return None
        kind = EntryKind(row.kind)
        return Original(kind=kind, facts=json.loads(self._unseal(kind, replacement, row.sealed)))

    def rotate(self, connection: Connection, name: str, secret: Secret) -> KeyTable:
        """The table under another passphrase or key file, every original encrypted anew.

        Pseudonyms stay: the same patient goes on under the same name. One transaction: all of it, or nothing.

        Raises
        ------
        InputError
            ``archive.damaged-key-table``.
        """
        fresh = KeyTable(project=self.project, key=self.key, sealing=secrets.token_bytes(KEY_BYTES))
        salt = secrets.token_bytes(SALT_BYTES)
        table = deidentify_entry
        for row in connection.execute(select(table).where(table.c.project == self.project)).all():
            kind = EntryKind(row.kind)
            facts = json.loads(self._unseal(kind, row.replacement, row.sealed))
            sealed = fresh._seal(kind, row.replacement, facts)
            connection.execute(update(table).where(table.c.id == row.id).values(sealed=sealed))
        wrapped = _sealed(secret.wrapping(salt), fresh.sealing + fresh.key.secret, name)
        changed = {"salt": salt, "cost": secret.cost, "wrapped": wrapped}
        projects = deidentify_project
        connection.execute(update(projects).where(projects.c.id == self.project).values(changed))
        return fresh

    def _seal(self, kind: EntryKind, replacement: str, facts: Mapping[str, str]) -> bytes:
        told = json.dumps(dict(facts), ensure_ascii=False).encode("utf-8", "replace")
        return _sealed(self.sealing, told, self._place(kind, replacement))

    def _unseal(self, kind: EntryKind, replacement: str, sealed: bytes) -> bytes:
        told = _opened(self.sealing, sealed, self._place(kind, replacement))
        if told is None:
            raise InputError(DAMAGED_KEY_TABLE)
        return told

    def _place(self, kind: EntryKind, replacement: str) -> str:
        # Bound to its place: an entry that was moved behind another pseudonym doesn't open.
        return f"{self.project}\x1f{kind}\x1f{replacement}"


def _make_key_file(path: Path) -> None:
    """A new key on the disk for good: what was cleaned with a key that is lost can't be continued."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another run was quicker: one key for both
        return
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(KEY_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        path.unlink(missing_ok=True)  # half a key on a full disk
        raise


def _sealed(key: bytes, plain: bytes, place: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def _opened(key: bytes, sealed: bytes, place: str) -> bytes | None:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError):
        return None


@contextmanager
def in_file(path: Path, *, looking: bool = False) -> Iterator[Connection]:
    """A key table in a file of its own, beside no workspace; one transaction.

    Runs that write the same table wait for each other before they look what it knows already: else both would write
    the same entry, and the slower one lose all of its own.

    Parameters
    ----------
    looking : whether nothing is written; such a table may lie where nobody may write.

    Raises
    ------
    InputError
        ``archive.no-key-table-file``.
    """
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": WAIT_S})
    if not looking:
        # The driver begins a transaction at the first change only; it is told to leave that to us.
        event.listen(engine, "connect", lambda driver, _: setattr(driver, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            metadata.create_all(connection, tables=[deidentify_project, deidentify_entry])
            yield connection
    except (SQLAlchemyError, OSError) as error:
        raise InputError(NO_TABLE_FILE) from error
    finally:
        engine.dispose()
