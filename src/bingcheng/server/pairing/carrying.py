"""One thing that passes with another installation: from where it stopped the last time to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlalchemy import Connection

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.pairing import bundles, offering, peers, permission, received_numbers, transfers
from bingcheng.archive.pairing.bundles import GIVEN_OUT, Bundle, BundleState
from bingcheng.archive.pairing.case_room import CaseRoom
from bingcheng.archive.pairing.events import crossed
from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.manifest import FIRST_FORM, NEWEST_FORM, ListedObject
from bingcheng.archive.pairing.peers import Peer
from bingcheng.archive.pairing.problems import NO_CASES, PEER_REFUSED, WITHDRAWN
from bingcheng.archive.pairing.receiving import Receiving
from bingcheng.archive.pairing.staging import PIECE
from bingcheng.archive.pairing.transfers import Transfer, TransferKind
from bingcheng.core.errors import BingchengError, InputError, RefusedError, RemoteError
from bingcheng.server.pairing.answers import document_signature
from bingcheng.server.pairing.client import IMPORT_S, PeerClient
from bingcheng.server.pairing.own_numbers import own_numbers
from bingcheng.server.pairing.refusal import refusal
from bingcheng.server.site import Site

MOST_WITHOUT_PROGRESS = 3
TEMPORARY = frozenset(
    {
        "archive.not-paired",  # the other side has not confirmed yet
        "archive.peer-not-permitted",
        "archive.clocks-differ",
        "archive.wrong-digest",
        "archive.not-complete",
        "archive.busy",
        "archive.disk-full",
        "archive.too-much",
        "archive.no-receiving-hospital",
    }
)
"""Codes of a peer's refusal that may be gone at the next try."""


class Stopped(Exception):  # noqa: N818 - no error
    """The server ends, and what was under way goes on at the next start; or a person stopped it."""


class Carrying:
    """One transfer under way."""

    def __init__(
        self,
        site: Site,
        room: CaseRoom | None,
        key: InstallationKey,
        peer: Peer,
        client: PeerClient,
        transfer: Transfer,
        stopped: threading.Event,
    ) -> None:
        self._site, self._room, self._key, self._peer = site, room, key, peer
        self._client, self._transfer, self._stopped = client, transfer, stopped
        self._done = self._total = 0

    def done(self) -> None:
        """Do it; what has passed before is not passed again.

        Raises
        ------
        Stopped
            The server ends, or a person stopped it.
        BingchengError
            See `may_pass`.
        """
        _DO[self._transfer.kind](self)

    def greet(self) -> None:
        """Ask what the other side allows."""
        said = self._client.ask("GET", "/hello").values().get("may")
        allows = permission.read(" ".join(map(str, said))) if isinstance(said, list) else ()
        with self._site.workspace.writing() as connection:
            peers.heard_permissions(connection, self._peer.number, allows)

    def offer(self) -> Bundle:
        """Look through the objects of a case before any may leave."""
        found = self._own()
        if found.state is BundleState.CHECKING:
            offering.check_bundle(self._site.objects, found, self._go_on)
            with self._site.workspace.writing() as connection:
                latest = bundles.bundle(connection, self._peer.number, found.name, incoming=False)
                # What was written anew meanwhile was not looked through.
                if latest is not None and (latest.state, latest.manifest) == (BundleState.CHECKING, found.manifest):
                    bundles.move(connection, found.number, BundleState.OFFERED, self._site.now())
        return self._own()

    def push(self) -> None:
        """Send a case, with what is missing there."""
        found = self._leaving()
        path, manifest = f"/bundles/{found.name}", found.content()
        said = self._client.ask("PUT", path, found.manifest, document_signature=found.signature).values()
        missing = said.get("missing")
        have = missing if isinstance(missing, dict) else {}
        self._total = manifest.size
        left = sum(one.size - _number(have[one.sha256]) for one in manifest.objects if one.sha256 in have)
        self._done = self._total - left
        for listed in manifest.objects:
            if listed.sha256 in have:
                self._push_object(found, listed, _number(have[listed.sha256]))
        self._progress(0)
        self._client.ask("POST", f"{path}/complete", patience_s=IMPORT_S)

    def _leaving(self) -> Bundle:
        """Our bundle, looked through and in a form that the other side reads; from here on that side may have it."""
        while True:
            newest = self._newest_form() if self.offer().content().form > FIRST_FORM else FIRST_FORM
            with self._site.workspace.writing() as connection:
                found = bundles.bundle(connection, self._peer.number, self._transfer.name, incoming=False)
                # The case may have been offered anew since it was looked through.
                if found is not None and found.state in GIVEN_OUT:
                    found = offering.in_form(connection, self._key, found, newest)
                    # Noted before the first byte leaves: the other side may get it even if its answer never comes.
                    offering.gave(connection, self._peer, found, self._site.now())
                    return found

    def _newest_form(self) -> int:
        """The newest form of manifests that the other side reads: the first, unless it names another."""
        said = self._client.ask("GET", "/hello").values().get("form", FIRST_FORM)
        return max(FIRST_FORM, _number(said))

    def _push_object(self, found: Bundle, listed: ListedObject, have: int) -> None:
        path = f"/bundles/{found.name}/objects/{listed.sha256}"
        idle = 0
        with self._site.objects.open_bytes(offering.instance_of(self._site.objects, found, listed)) as stream:
            while have < listed.size:
                self._own()  # withdrawn, or the peer revoked, since the last piece?
                stream.seek(have)
                piece = stream.read(PIECE)
                now = _number(self._client.ask("PUT", f"{path}?offset={have}", piece).values().get("have"))
                idle = 0 if now > have else idle + 1
                if idle >= MOST_WITHOUT_PROGRESS:
                    raise refusal("?")
                self._progress(now - have)
                have = now

    def look(self) -> None:
        """Ask for a transfer of each case that is offered and not here."""
        offered = self._client.ask("GET", "/offers").values().get("offers")
        names = [one for one in offered if isinstance(one, str)] if isinstance(offered, list) else []
        with self._site.workspace.writing() as connection:
            for name in names[:1000]:
                if len(name) == 32 and self._is_wanted(connection, name):
                    transfers.ask(connection, self._peer.number, TransferKind.PULL, self._site.now(), name)

    def _is_wanted(self, connection: Connection, name: str) -> bool:
        """Whether an offered case is to be fetched: it isn't here, and nobody stopped that."""
        number = self._peer.number
        known = bundles.bundle(connection, number, name, incoming=True)
        stopped = transfers.is_stopped(connection, number, TransferKind.PULL, name)
        return not stopped and (known is None or known.state in bundles.UNFINISHED)

    def pull(self) -> None:
        """Fetch a case, with what is missing here."""
        receiving, path = self._receiving(), f"/bundles/{self._transfer.name}"
        given = self._client.ask("GET", f"{path}?form={NEWEST_FORM}")
        found = receiving.begin(given.body, document_signature(given.fields), self._site.now())
        missing = receiving.missing(found)
        listed = {one.sha256: one for one in found.content().objects}
        self._total = found.content().size
        self._done = self._total - sum(listed[sha256].size - have for sha256, have in missing.items())
        for sha256, have in missing.items():
            self._pull_object(receiving, listed[sha256], have)
        self._progress(0)
        receiving.complete(found.name, self._site.now())

    def _pull_object(self, receiving: Receiving, listed: ListedObject, have: int) -> None:
        path = f"/bundles/{self._transfer.name}/objects/{listed.sha256}"
        while have < listed.size:
            found = receiving.known(self._transfer.name)
            with self._site.workspace.reading() as connection:
                peers.active_peer(connection, self._peer.number)
            piece = self._client.ask("GET", f"{path}?offset={have}").body
            now = receiving.add(found, listed.sha256, have, piece)
            if now <= have:
                raise refusal("?")
            self._progress(now - have)
            have = now

    def withdraw(self) -> None:
        """Let a case be withdrawn there."""
        with self._site.workspace.reading() as connection:
            found = bundles.bundle(connection, self._peer.number, self._transfer.name, incoming=False)
        if found is None or found.state is BundleState.WITHDRAWN:
            return
        self._client.ask("POST", f"/bundles/{found.name}/withdraw")
        with self._site.workspace.writing() as connection:
            offering.confirmed_withdrawal(connection, found, self._site.now())
            self._tell(connection, "case-withdrawal-confirmed", EventAction.DELETE, found)

    def push_numbers(self) -> None:
        """Send our numbers."""
        with self._site.workspace.reading() as connection:
            written, signature = own_numbers(connection, self._key, self._site.now())
        self._client.ask("PUT", "/numbers", written, document_signature=signature)
        with self._site.workspace.writing() as connection:
            self._tell(connection, "numbers-given", EventAction.READ)

    def pull_numbers(self) -> None:
        """Fetch its numbers."""
        given = self._client.ask("GET", "/numbers")
        with self._site.workspace.writing() as connection:
            signature = document_signature(given.fields)
            received_numbers.keep(connection, self._peer, given.body, signature, self._site.now())

    def _tell(self, connection: Connection, what: str, action: EventAction, found: Bundle | None = None) -> None:
        crossed(
            connection,
            self._peer,
            what,
            self._site.now(),
            code=EventCode.EXPORT,
            action=action,
            subject="" if found is None else f"bundle/{found.name}",
            case=None if found is None else found.case,
        )

    def _own(self) -> Bundle:
        """Our bundle, as it stands now.

        Raises
        ------
        RefusedError
            ``archive.not-paired``: the peer was revoked.
        InputError
            ``archive.withdrawn-case``.
        """
        self._go_on()
        with self._site.workspace.reading() as connection:
            peers.active_peer(connection, self._peer.number)
            found = bundles.bundle(connection, self._peer.number, self._transfer.name, incoming=False)
            if found is None or found.state not in (BundleState.CHECKING, *GIVEN_OUT):
                raise InputError(WITHDRAWN)
            if found.case is None or self._room is None or not self._room.is_published(connection, found.case):
                raise InputError(WITHDRAWN)
        return found

    def _receiving(self) -> Receiving:
        if self._room is None:
            raise RefusedError(NO_CASES)
        site = self._site
        return Receiving(workspace=site.workspace, objects=site.objects, room=self._room, peer=self._peer)

    def _go_on(self) -> None:
        """Raise `Stopped` if it is not to go on."""
        with self._site.workspace.reading() as connection:
            wanted = transfers.runs(connection, self._transfer.number)
        if self._stopped.is_set() or not wanted:
            raise Stopped

    def _progress(self, count: int) -> None:
        self._done += count
        with self._site.workspace.writing() as connection:
            wanted = transfers.tell(connection, self._transfer.number, self._done, self._total)
        if self._stopped.is_set() or not wanted:
            raise Stopped


def _number(said: object) -> int:
    """A count that the peer told, which may be anything."""
    if not isinstance(said, int) or isinstance(said, bool) or said < 0:
        raise refusal("?")
    return said


def may_pass(error: BingchengError) -> bool:
    """Whether it may succeed at the next try."""
    if isinstance(error, RemoteError):
        return True
    return error.problem is PEER_REFUSED and error.reason.facts.get("code") in TEMPORARY


_DO: Mapping[TransferKind, Callable[[Carrying], object]] = MappingProxyType(
    {
        TransferKind.GREET: Carrying.greet,
        TransferKind.OFFER: Carrying.offer,
        TransferKind.PUSH: Carrying.push,
        TransferKind.LOOK: Carrying.look,
        TransferKind.PULL: Carrying.pull,
        TransferKind.WITHDRAW: Carrying.withdraw,
        TransferKind.PUSH_NUMBERS: Carrying.push_numbers,
        TransferKind.PULL_NUMBERS: Carrying.pull_numbers,
    }
)
