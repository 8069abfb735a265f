"""The keys of files in the storage: digests, so that no UID, however forged, becomes part of a path."""

from __future__ import annotations

import hashlib
import re
import secrets
from functools import lru_cache

from bingcheng.archive.objects.received import DERIVED, DRAWN, Origin

CONFLICTS = "conflicts"
_MADE, _DRAWN = "-made", "-drawn"
_MAKER = re.compile(rf"{_MADE}\.dcm$|({_DRAWN})(?:-([0-9]{{1,10}}))?\.dcm$")
_SPACE = re.compile(r"([a-z]+)/([A-Za-z0-9_-]{1,64})")


@lru_cache(maxsize=4096)
def space_folder(space: str) -> str:
    """The folder of a space, ``hospital/12`` giving ``hospital-12``.

    Raises
    ------
    ValueError
        `space` is not the name of one; spaces are made by the program, never by who sends.
    """
    found = _SPACE.fullmatch(space)
    if found is None:
        raise ValueError("not the name of a space")
    return f"{found[1]}-{found[2]}"


def space_of(folder: str) -> str:
    """The space whose folder has this name."""
    return folder.replace("-", "/", 1)


@lru_cache(maxsize=4096)
def _digest(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()[:20]


def study_folder(space: str, study_uid: str) -> str:
    """The folder of a study."""
    return f"{space_folder(space)}/{_digest(study_uid)}"


def series_folder(space: str, study_uid: str, series_uid: str) -> str:
    """The folder of a series."""
    return f"{study_folder(space, study_uid)}/{_digest(series_uid)}"


def file_name(sha256: str, origin: Origin) -> str:
    """A name that no other reception of an object has, and that says what the file must hold and who made it.

    That it is never used again means that removing one file can't hit another that came at the same moment.

    Parameters
    ----------
    origin : of an object that this program made, or that a person drew here, the file tells so by its name, should it
        lose its row: taken for one that was sent, it would count among what the exam is assessed from, and nobody
        would know whose drawing it is.
    """
    return f"{sha256[:32]}-{secrets.token_hex(4)}{_maker(origin)}.dcm"


def _maker(origin: Origin) -> str:
    if origin.kind == DERIVED:
        return _MADE
    if origin.kind == DRAWN:
        return _DRAWN if origin.person is None else f"{_DRAWN}-{origin.person}"
    return ""


def told_origin(key: str, peer: str) -> Origin:
    """Where an object came from, as far as the name under its key tells it.

    Parameters
    ----------
    peer : what stands for the peer, which no name tells.
    """
    found = _MAKER.search(key)
    if found is None:
        return Origin(kind="import", peer=peer)
    if found[1] is None:
        return Origin(kind=DERIVED, peer=peer)
    return Origin(kind=DRAWN, peer=peer, person=None if found[2] is None else int(found[2]))


def told_digest(key: str) -> str:
    """The beginning of the digest of what must be under the key."""
    return key.rsplit("/", 1)[-1].partition("-")[0]


def conflict_location(space: str, name: str) -> str:
    """Where an object lies that is kept aside."""
    return f"{CONFLICTS}/{space_folder(space)}/{name}"
