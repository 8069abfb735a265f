"""What others have begun to send and never finished: thrown away when nothing came for a stated time."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bingcheng.archive.audit.event import EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.pairing import bundles
from bingcheng.archive.pairing.bundles import Bundle, BundleState
from bingcheng.archive.pairing.case_room import CaseRoom
from bingcheng.archive.pairing.events import crossed
from bingcheng.archive.pairing.peers import Peer, peers
from bingcheng.archive.pairing.receiving import Receiving
from bingcheng.archive.pairing.staging import FOLDER, Staging
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError

LEFT_ALONE = timedelta(hours=1)
"""What changed within it is not touched: somebody may be at work on it."""
log = logging.getLogger(__name__)


def finish_imports(workspace: Workspace, objects: Objects, room: CaseRoom, now: datetime) -> None:
    """Import what had all come and been checked when the program ended: its sender may never ask again."""
    for one, peer in _unfinished(workspace):
        if one.state is BundleState.IMPORTING and peer.active and now - one.changed_at > LEFT_ALONE:
            receiving = Receiving(workspace=workspace, objects=objects, room=room, peer=peer)
            try:
                receiving.complete(one.name, now)
            except BingchengError as error:
                log.warning("pairing: %s", error.code)


def sweep(workspace: Workspace, now: datetime, *, after: timedelta) -> int:
    """Throw away what of unfinished cases has come, of peers that are revoked or sent nothing for so long.

    Also what no case belongs to: the program was ended between two steps. Returns how many cases were given up; a
    sender that begins one of them again begins from its start.
    """
    count = 0
    kept: set[str] = set()
    for one, peer in _unfinished(workspace):
        staging = Staging.of(workspace.folder, one.peer, one.name)
        if peer.active and now - max(one.changed_at, staging.touched_at() or one.changed_at) <= after:
            kept.add(staging.folder.name)
        else:
            _give_up(workspace, one, peer, now)
            staging.clear()
            count += 1
    for folder in _folders(workspace.folder / FOLDER):
        touched_at = _touched_at(folder)
        if folder.name not in kept and touched_at is not None and now - touched_at > LEFT_ALONE:
            shutil.rmtree(folder, ignore_errors=True)
    return count


def _unfinished(workspace: Workspace) -> tuple[tuple[Bundle, Peer], ...]:
    with workspace.reading() as connection:
        known = {one.number: one for one in peers(connection)}
        return tuple((one, known[one.peer]) for one in bundles.all_unfinished(connection))


def _give_up(workspace: Workspace, one: Bundle, peer: Peer, now: datetime) -> None:
    with workspace.writing() as connection:
        bundles.move(connection, one.number, BundleState.ABANDONED, now)
        crossed(
            connection,
            peer,
            "case-given-up",
            now,
            code=EventCode.IMPORT,
            action=EventAction.DELETE,
            outcome=EventOutcome.MINOR_FAILURE,
            subject=f"bundle/{one.name}",
            case=one.case,
        )


def _folders(parent: Path) -> Iterator[Path]:
    try:
        yield from [one for one in parent.iterdir() if one.is_dir()]
    except FileNotFoundError:
        return


def _touched_at(folder: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(folder.stat().st_mtime, UTC).replace(tzinfo=None)
    except FileNotFoundError:
        return None
