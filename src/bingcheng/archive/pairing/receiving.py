"""Cases of others on their way in: begun, filled, checked, imported once, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bingcheng.archive.audit.event import EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases.holdings import keep_only, put
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.pairing import bundles
from bingcheng.archive.pairing.bundles import Bundle, BundleState
from bingcheng.archive.pairing.case_room import CaseOrigin, CaseRoom
from bingcheng.archive.pairing.events import crossed
from bingcheng.archive.pairing.key import verified
from bingcheng.archive.pairing.manifest import ListedObject, Manifest, read_manifest
from bingcheng.archive.pairing.object_check import check_object
from bingcheng.archive.pairing.offering import PURPOSE
from bingcheng.archive.pairing.peers import Peer, active_peer
from bingcheng.archive.pairing.problems import (
    NOT_COMPLETE,
    NOT_WHITELISTED,
    OTHER_CONTENT,
    TOO_MUCH,
    WITHDRAWN,
    WRONG_DIGEST,
)
from bingcheng.archive.pairing.staging import Staging
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

MOST_UNFINISHED = 20
ACCEPTING = (BundleState.COMING, BundleState.IMPORTING)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Receiving:
    """Takes in what one peer gives; each step may be asked for again after either side's end.

    Parameters
    ----------
    address : of the one who sends, for the audit trail.
    """

    workspace: Workspace
    objects: Objects
    room: CaseRoom
    peer: Peer
    address: str = ""

    def begin(self, written: bytes, signature: bytes, now: datetime) -> Bundle:
        """Take a manifest; the same one again changes nothing.

        Raises
        ------
        InputError
            ``archive.not-whitelisted``, ``archive.other-content``, ``archive.withdrawn-case``, ``archive.too-much``.
        """
        if not verified(self.peer.public, signature, PURPOSE + written):
            raise InputError(NOT_WHITELISTED, what=text("a manifest without a valid signature"))
        manifest = read_manifest(written)
        if manifest.origin != self.peer.keyid:
            raise InputError(NOT_WHITELISTED, what=text("a case of a third installation"))
        self.room.check_import(manifest.content)
        with self.workspace.writing() as connection:
            active_peer(connection, self.peer.number)
            known = bundles.bundle(connection, self.peer.number, manifest.name, incoming=True)
            if known is None:
                self._add(connection, manifest, written, signature, now)
            elif known.state is BundleState.WITHDRAWN:
                raise InputError(WITHDRAWN)
            elif known.manifest != written:
                raise InputError(OTHER_CONTENT)
            elif known.state is BundleState.REFUSED:
                raise InputError(NOT_WHITELISTED, what=text("a case that was refused before"))
            elif known.state is BundleState.ABANDONED:
                self._check_room(connection)
                bundles.move(connection, known.number, BundleState.COMING, now)
            found = bundles.bundle(connection, self.peer.number, manifest.name, incoming=True)
        assert found is not None
        return found

    def _add(self, connection: Connection, manifest: Manifest, written: bytes, signature: bytes, now: datetime) -> None:
        self._check_room(connection)
        later = self._later(connection, manifest)
        bundles.add(
            connection,
            peer=self.peer.number,
            incoming=True,
            name=manifest.name,
            state=BundleState.COMING if later is None else BundleState.COMPLETE,
            now=now,
            manifest=written,
            signature=signature,
            of_case=manifest.case,
            version=manifest.version,
            case=None if later is None else later.case,
        )
        what = "case-begun" if later is None else "case-overtaken"
        self._tell(connection, what, manifest.name, now, count=len(manifest.objects))

    def _later(self, connection: Connection, manifest: Manifest) -> Bundle | None:
        """A later version of the case that is here already: an earlier one must not take its place."""
        return bundles.later_version(connection, self.peer.number, manifest.case, manifest.version)

    def _check_room(self, connection: Connection) -> None:
        if bundles.unfinished(connection, self.peer.number) >= MOST_UNFINISHED:
            raise InputError(TOO_MUCH, limit=MOST_UNFINISHED)

    def known(self, name: str) -> Bundle:
        """The bundle of a name that comes, or came, from the peer.

        Raises
        ------
        InputError
            ``archive.not-found``, ``archive.withdrawn-case``.
        """
        with self.workspace.reading() as connection:
            found = bundles.bundle(connection, self.peer.number, name, incoming=True)
        if found is None:
            raise InputError(NO_SUCH_THING)
        if found.state is BundleState.WITHDRAWN:
            raise InputError(WITHDRAWN)
        return found

    def missing(self, found: Bundle) -> dict[str, int]:
        """How many bytes are here of each object that is not whole yet, by digest; empty when all are."""
        return {} if found.state is BundleState.COMPLETE else self._staging(found).missing(found.content())

    def add(self, found: Bundle, sha256: str, offset: int, piece: bytes) -> int:
        """Take a piece of an object, if it goes on where the last one ended; returns how many bytes are here then.

        Raises
        ------
        InputError
            ``archive.not-found``: the manifest lists no such object.
        """
        listed = _listed(found.content(), sha256)
        if found.state not in ACCEPTING:
            return listed.size
        return self._staging(found).add(listed, offset, piece)

    def complete(self, name: str, now: datetime) -> Bundle:
        """Look through all objects and import the case; again, for a case that is imported, it does nothing.

        Raises
        ------
        InputError
            ``archive.not-complete``, ``archive.wrong-digest`` (what was wrong is thrown away, to be sent again),
            ``archive.not-whitelisted`` (all of it is thrown away).
        """
        found = self.known(name)
        if found.state is BundleState.COMPLETE:
            return found
        if found.state is BundleState.REFUSED:
            raise InputError(NOT_WHITELISTED, what=text("a case that was refused before"))
        manifest, staging = found.content(), self._staging(found)
        missing = staging.missing(manifest)
        if missing:
            raise InputError(NOT_COMPLETE, count=len(missing))
        try:
            self._check(manifest, staging)
        except InputError as error:
            if error.problem is NOT_WHITELISTED:
                staging.clear()
                self._refused(found, error, now)
            raise
        case = self._case(found, manifest, now)
        if case is not None:
            self._store(manifest, staging, case)
            self._finish(found, manifest, case, now)
        staging.clear()
        return self.known(name)

    def _finish(self, found: Bundle, manifest: Manifest, case: int, now: datetime) -> None:
        with self.workspace.writing() as connection:
            active_peer(connection, self.peer.number)
            latest = bundles.bundle(connection, self.peer.number, found.name, incoming=True)
            if latest is None or latest.state is BundleState.WITHDRAWN:
                raise InputError(WITHDRAWN)
            if latest.state is not BundleState.COMPLETE:
                self.room.finish_import(connection, case, manifest.content, now)
                bundles.move(connection, found.number, BundleState.COMPLETE, now, case=case)
                self._tell(connection, "case-received", found.name, now, case=case, count=len(manifest.objects))

    def withdraw(self, name: str, now: datetime) -> None:
        """The peer withdraws a case: nobody here reads it any more, and it is not taken again.

        What is not known here is noted all the same: it may have been on its way.
        """
        with self.workspace.writing() as connection:
            active_peer(connection, self.peer.number)
            found = bundles.bundle(connection, self.peer.number, name, incoming=True)
            if found is None:
                state = BundleState.WITHDRAWN
                bundles.add(connection, peer=self.peer.number, incoming=True, name=name, state=state, now=now)
            elif found.state is not BundleState.WITHDRAWN:
                bundles.move(connection, found.number, BundleState.WITHDRAWN, now)
                if found.case is not None:
                    self.room.withdraw_import(connection, found.case, now)
            case = None if found is None else found.case
            self._tell(connection, "case-withdrawn", name, now, case=case, action=EventAction.DELETE)
        Staging.of(self.workspace.folder, self.peer.number, name).clear()

    def _check(self, manifest: Manifest, staging: Staging) -> None:
        for listed in manifest.objects:
            if not staging.is_true(listed):
                raise InputError(WRONG_DIGEST)
        pointed = manifest.pointed()
        for listed in manifest.objects:
            with staging.stream(listed) as stream:
                check_object(stream, listed, pointed.get(listed.sop_uid, ()))

    def _case(self, found: Bundle, manifest: Manifest, now: datetime) -> int | None:
        """The number of the case that the objects go into; the same one after the end of either side.

        None if a later version of it came meanwhile: then this one is done with.
        """
        with self.workspace.writing() as connection:
            active_peer(connection, self.peer.number)
            latest = bundles.bundle(connection, self.peer.number, found.name, incoming=True)
            if latest is None or latest.state is BundleState.WITHDRAWN:
                raise InputError(WITHDRAWN)
            later = self._later(connection, manifest)
            if later is not None:
                bundles.move(connection, found.number, BundleState.COMPLETE, now, case=later.case)
                self._tell(connection, "case-overtaken", found.name, now, count=len(manifest.objects))
                return None
            if latest.case is not None:
                return latest.case
            origin = CaseOrigin(
                peer=self.peer.number, name=self.peer.name, case=manifest.case, version=manifest.version
            )
            case = self.room.begin_import(connection, manifest.content, origin, now)
            bundles.move(connection, found.number, BundleState.IMPORTING, now, case=case)
            return case

    def _store(self, manifest: Manifest, staging: Staging, case: int) -> None:
        """Let the case have these objects and no others: what an earlier version showed may be left out of this one."""
        origin, space = Origin(kind="pairing", peer=self.peer.name), case_space(case)
        for listed in manifest.objects:
            with staging.opened(listed) as view:
                put(self.objects, view, space=space, origin=origin)
        keep_only(self.objects, space, {one.sop_uid for one in manifest.objects})

    def _staging(self, found: Bundle) -> Staging:
        return Staging.of(self.workspace.folder, self.peer.number, found.name)

    def _refused(self, found: Bundle, error: InputError, now: datetime) -> None:
        with self.workspace.writing() as connection:
            bundles.move(connection, found.number, BundleState.REFUSED, now)
            crossed(
                connection,
                self.peer,
                "case-refused",
                now,
                code=EventCode.IMPORT,
                outcome=EventOutcome.MINOR_FAILURE,
                subject=f"bundle/{found.name}",
                address=self.address,
                reason=error.code,
            )

    def _tell(
        self,
        connection: Connection,
        what: str,
        name: str,
        now: datetime,
        *,
        case: int | None = None,
        count: int = 1,
        action: EventAction = EventAction.CREATE,
    ) -> None:
        crossed(
            connection,
            self.peer,
            what,
            now,
            code=EventCode.IMPORT,
            action=action,
            subject=f"bundle/{name}",
            case=case,
            count=count,
            address=self.address,
        )


def _listed(manifest: Manifest, sha256: str) -> ListedObject:
    for one in manifest.objects:
        if one.sha256 == sha256:
            return one
    raise InputError(NO_SUCH_THING)
