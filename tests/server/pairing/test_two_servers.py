"""Two servers with TLS and a certificate authority of their own: cases cross, whichever side is killed meanwhile."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.archive.pairing.making import Room, image, pointed
from tests.server.pairing.test_client import PEER as ANY_PEER

from bingcheng.archive.audit.trail import Asked, events, verify
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.pairing import bundles, peers, transfers
from bingcheng.archive.pairing.bundles import BundleState
from bingcheng.archive.pairing.card import PairingCard
from bingcheng.archive.pairing.fingerprint import fingerprint
from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.pairing.transfers import TransferKind, TransferState
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import RemoteError
from bingcheng.server.pairing.client import PeerClient
from bingcheng.server.pairing.offer_case import everything, offer_case, withdraw_case
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site, utc_now

PIECE = 16_384
ROOT = Path(__file__).parents[3]
IMAGES = [image(number, side=256) for number in range(8)]
PIECES = sum(-(-len(data) // PIECE) for data in IMAGES)


@dataclass(frozen=True)
class Authority:
    """A hospital's own certificate authority."""

    folder: Path
    pem: str
    certificate: Path
    key: Path


def authority(folder: Path, name: str, *, days: int = 0) -> Authority:
    """Makes the authority, and one certificate of it for 127.0.0.1 that holds now, or so many days later."""
    folder.mkdir()
    now = dt.datetime.now(dt.UTC)
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])

    def begun(subject: x509.Name, public: object, moment: dt.datetime = now) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(moment - dt.timedelta(days=1))
            .not_valid_after(moment + dt.timedelta(days=2))
        )

    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    of_root = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = (
        begun(root_name, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(of_root, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        begun(
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")]),
            leaf_key.public_key(),
            now + dt.timedelta(days=days),
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(of_root), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(leaf.public_bytes(pem))
    key.write_bytes(leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return Authority(folder, root.public_bytes(pem).decode(), certificate, key)


@dataclass
class Installation:
    """A workspace here, and its server in a process that can be killed."""

    folder: Path
    port: int
    trusted: Authority
    workspace: Workspace
    objects: Objects
    process: subprocess.Popen | None = None
    other: int = 0
    room: Room = field(default_factory=Room)
    starts: int = 0

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def key(self) -> InstallationKey:
        return InstallationKey.of(self.folder)

    @property
    def site(self) -> Site:
        return Site(workspace=self.workspace, settings=Settings(), objects=self.objects)

    @property
    def log(self) -> Path:
        return self.folder / f"log-{self.starts}"

    def start(self) -> None:
        self.starts += 1
        program = [sys.executable, str(Path(__file__).with_name("serving_one.py"))]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [*program, self.folder, str(self.port), self.trusted.certificate, self.trusted.key, str(PIECE)],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def pieces_put(self) -> int:
        """Pieces that this server took, over all its lives."""
        lines = [line for log in self.folder.glob("log-*") for line in log.read_text().splitlines()]
        route = '"route": "/pairing/v1/bundles/{bundle_name}/objects/{sha256}"'
        return sum('"method": "PUT"' in line and route in line and '"status": 200' in line for line in lines)

    def pieces_got(self) -> int:
        lines = [line for log in self.folder.glob("log-*") for line in log.read_text().splitlines()]
        route = '"route": "/pairing/v1/bundles/{bundle_name}/objects/{sha256}"'
        return sum('"method": "GET"' in line and route in line and '"status": 200' in line for line in lines)

    def cases(self) -> dict:
        file = self.folder / "cases.json"
        return json.loads(file.read_text()) if file.exists() else {"shown": [], "finished": 0}

    def transfer(self):
        with self.workspace.reading() as connection:
            return transfers.transfers_of(connection)[0]

    def ask(self, kind: TransferKind) -> None:
        with self.workspace.writing() as connection:
            transfers.ask(connection, self.other, kind, utc_now())

    def retry_all(self) -> None:
        """A person doesn't wait for the back-off."""
        with self.workspace.writing() as connection:
            for one in transfers.transfers_of(connection):
                if one.state is TransferState.WAITING:
                    transfers.retry(connection, one.number, utc_now())


def until(holds: Callable[[], object], *, within_s: float = 60, every: Callable[[], None] | None = None) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come to that in time"
        if every is not None:
            every()
        time.sleep(0.02 if every is None else 0.1)


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listening(one: Installation) -> bool:
    assert one.process.poll() is None, one.log.read_text()[-2000:]
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", one.port)) == 0


def installed(folder: Path, trusted: Authority) -> Installation:
    workspace = Workspace.open(folder)
    return Installation(folder, free_port(), trusted, workspace, Objects.open(workspace))


def pair(one: Installation, other: Installation) -> None:
    for mine, theirs in ((one, other), (other, one)):
        card = PairingCard(name=theirs.folder.name, address=theirs.address, public=theirs.key.public)
        with mine.workspace.writing() as connection:
            mine.other = peers.propose(connection, card, mine.key, utc_now())
            peers.confirm(connection, mine.other, fingerprint(theirs.key.public), by=None, now=utc_now())
            peers.change(connection, mine.other, address=theirs.address, may=Permission, authority=theirs.trusted.pem)


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Iterator[tuple[Installation, Installation]]:
    root = tmp_path_factory.mktemp("two")
    north = installed(root / "north", authority(root / "north-ca", "North"))
    south = installed(root / "south", authority(root / "south-ca", "South"))
    pair(north, south)
    try:
        for one in (north, south):
            one.start()
        for one in (north, south):
            until(lambda one=one: listening(one))
        yield north, south
    finally:  # also if one of them does not begin to listen
        for one in (north, south):
            one.kill()
            one.objects.close()
            one.workspace.close()


@pytest.fixture(autouse=True)
def running(both):
    """Each test finds both servers running and the queues empty."""
    for one in both:
        if one.process.poll() is not None:
            one.start()
            until(lambda one=one: listening(one))


def stored(south: Installation) -> list[bytes]:
    case = south.cases()["shown"][-1]
    return sorted(south.objects.path(one).read_bytes() for one in everything(south.objects, f"case/{case}"))


def offered(north: Installation, *, push: bool) -> str:
    """A new case of the north for the south; returns the name of its bundle."""
    case = north.room.publish(north.objects, IMAGES, pointed(IMAGES, x=3.0, y=200.0, note="Here"))
    offer_case(north.site, north.room, case, [north.other], push=push)
    with north.workspace.reading() as connection:
        return bundles.given_of_case(connection, case)[0].name


def state(one: Installation, name: str, *, incoming: bool) -> BundleState | None:
    with one.workspace.reading() as connection:
        found = bundles.bundle(connection, one.other, name, incoming=incoming)
    return None if found is None else found.state


def bytes_staged(south: Installation) -> int:
    return sum(one.stat().st_size for one in south.folder.glob("pairing/*/*"))


def quarter() -> int:
    return sum(map(len, IMAGES)) // 4


def test_both_greet_each_other(both):
    for one in both:
        one.ask(TransferKind.GREET)
        until(lambda one=one: one.transfer().state is TransferState.DONE)
        with one.workspace.reading() as connection:
            assert peers.peer(connection, one.other).allows == frozenset(Permission)


def test_a_case_is_pushed_and_withdrawn(both):
    north, south = both
    name = offered(north, push=True)
    until(lambda: state(south, name, incoming=True) is BundleState.COMPLETE)
    until(lambda: north.transfer().state is TransferState.DONE)
    assert stored(south) == sorted(IMAGES)
    assert [(one["x"], one["y"], one["note"]) for one in south.cases()["key_images"]] == [(3.0, 200.0, "Here")]
    assert (north.transfer().done, north.transfer().total) == (sum(map(len, IMAGES)),) * 2
    shown = south.cases()["shown"][-1]
    withdraw_case(north.site, north.room._next - 1)
    until(lambda: state(north, name, incoming=False) is BundleState.WITHDRAWN)
    assert shown not in south.cases()["shown"]
    for one in both:
        with one.workspace.reading() as connection:
            verify(connection)
            told = {found.event.what for found in events(connection, Asked())}
        expected = (
            {"pairing-case-received"} if one is south else {"pairing-case-given", "pairing-case-withdrawal-confirmed"}
        )
        assert expected <= told


@pytest.mark.slow
@pytest.mark.parametrize("push", [True, False])
def test_a_transfer_that_was_stopped_keeps_what_has_passed_and_goes_on_from_there(both, push):
    north, south = both
    asks = north if push else south
    name = offered(north, push=push)
    if not push:
        until(lambda: state(north, name, incoming=False) is BundleState.OFFERED)
        south.ask(TransferKind.LOOK)
    before = south.pieces_put() + north.pieces_got()
    until(lambda: bytes_staged(south) > quarter())
    with asks.workspace.writing() as connection:
        assert transfers.stop(connection, asks.transfer().number, utc_now())
    until(lambda: not running_now(asks))
    time.sleep(0.5)
    have = bytes_staged(south)
    assert 0 < have < sum(map(len, IMAGES)), "it was stopped in the middle"
    if not push:
        asks.ask(TransferKind.LOOK)  # which fetches what is offered, but not what was stopped
        until(lambda: asks.transfer().state is TransferState.DONE)
    time.sleep(0.3)
    assert bytes_staged(south) == have
    assert state(south, name, incoming=True) is BundleState.COMING
    stopped = next(one for one in all_transfers(asks) if one.name == name and one.state is TransferState.STOPPED)
    with asks.workspace.writing() as connection:
        transfers.retry(connection, stopped.number, utc_now())
    until(lambda: state(south, name, incoming=True) is BundleState.COMPLETE)
    assert stored(south) == sorted(IMAGES)
    sent = south.pieces_put() + north.pieces_got() - before
    assert sent <= PIECES + 2, "what had come was not sent again"


def all_transfers(one: Installation):
    with one.workspace.reading() as connection:
        return transfers.transfers_of(connection)


def running_now(one: Installation) -> bool:
    return any(found.state is TransferState.RUNNING for found in all_transfers(one))


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["north", "south"])
def test_a_push_goes_on_after_one_side_was_killed(both, killed):
    north, south = both
    before, finished = south.pieces_put(), south.cases()["finished"]
    name = offered(north, push=True)
    until(lambda: bytes_staged(south) > quarter())
    victim = north if killed == "north" else south
    victim.kill()
    have = bytes_staged(south)
    assert 0 < have < sum(map(len, IMAGES)), "it was killed in the middle"
    assert state(south, name, incoming=True) is BundleState.COMING
    victim.start()
    until(lambda: listening(victim))  # till then, to try once more can only fail
    until(lambda: state(south, name, incoming=True) is BundleState.COMPLETE, every=north.retry_all)
    assert stored(south) == sorted(IMAGES)
    assert south.cases()["finished"] == finished + 1
    assert south.pieces_put() - before <= PIECES + 2, "what had come was not sent again"


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["north", "south"])
def test_a_pull_goes_on_after_one_side_was_killed(both, killed):
    north, south = both
    name = offered(north, push=False)
    until(lambda: state(north, name, incoming=False) is BundleState.OFFERED)
    before, finished = north.pieces_got(), south.cases()["finished"]
    south.ask(TransferKind.LOOK)
    until(lambda: bytes_staged(south) > quarter())
    victim = north if killed == "north" else south
    victim.kill()
    assert state(south, name, incoming=True) is BundleState.COMING
    victim.start()
    until(lambda: listening(victim))  # till then, to try once more can only fail
    until(lambda: state(south, name, incoming=True) is BundleState.COMPLETE, every=south.retry_all)
    assert stored(south) == sorted(IMAGES)
    assert south.cases()["finished"] == finished + 1
    # The pieces that are fetched are as long as the giver makes them, each longer than an image here.
    assert north.pieces_got() - before <= len(IMAGES) + 2
    assert state(north, name, incoming=False) is BundleState.GIVEN


def test_numbers_cross(both):
    north, south = both
    south.ask(TransferKind.PULL_NUMBERS)
    until(lambda: south.transfer().state is TransferState.DONE)
    north.ask(TransferKind.PUSH_NUMBERS)
    until(lambda: north.transfer().state is TransferState.DONE)


def peer_of(one: Installation):
    with one.workspace.reading() as connection:
        return peers.peer(connection, one.other)


def refused_code(peer, key) -> str:
    with PeerClient(peer, key, utc_now) as client, pytest.raises(RemoteError) as raised:
        client.ask("GET", "/hello")
    return raised.value.code


def test_only_the_pinned_certificate_of_the_right_authority_is_spoken_to(both):
    north, south = both
    peer = peer_of(north)
    der = ssl.PEM_cert_to_DER_cert(south.trusted.certificate.read_text())
    right = replace(peer, pin=hashlib.sha256(der).hexdigest())
    with PeerClient(right, north.key, utc_now) as client:
        assert "may" in client.ask("GET", "/hello").values()
    asked = south.pieces_put()
    assert refused_code(replace(peer, pin="0" * 64), north.key) == "archive.wrong-peer-certificate"
    assert refused_code(replace(peer, authority=north.trusted.pem), north.key) == "archive.untrusted-peer-certificate"
    assert refused_code(replace(peer, authority=""), north.key) == "archive.untrusted-peer-certificate"
    assert south.pieces_put() == asked


def test_an_answer_of_another_key_is_not_believed(both):
    north, _ = both
    other = InstallationKey.new()
    stranger = replace(peer_of(north), keyid=other.identifier, public=other.public)
    # A request for another installation is not answered; nor would an answer by this one be believed.
    with PeerClient(stranger, north.key, utc_now) as client, pytest.raises(Exception) as raised:
        client.ask("GET", "/hello")
    assert raised.value.code == "archive.peer-refused"


def test_a_revoked_peer_is_refused_in_the_middle(both):
    """The last test: nothing crosses after it."""
    north, south = both
    name = offered(north, push=True)
    until(lambda: bytes_staged(south) > quarter())
    with south.workspace.writing() as connection:
        peers.revoke(connection, south.other, utc_now())
    time.sleep(0.1)
    have = bytes_staged(south)
    until(lambda: north.transfer().tries and north.transfer().reason is not None)
    assert north.transfer().reason.facts["code"] == "archive.not-paired"
    assert bytes_staged(south) == have < sum(map(len, IMAGES))
    assert state(south, name, incoming=True) is BundleState.COMING


@pytest.mark.parametrize("days", [-9, 9], ids=["over", "not begun"])
def test_a_certificate_of_another_time_is_told_with_the_time_of_this_server(tmp_path, days):
    made = authority(tmp_path / "odd", "Odd authority", days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    key = InstallationKey.new()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def shake_hands() -> None:
            with closing(listening.accept()[0]) as met, contextlib.suppress(OSError):
                context.wrap_socket(met, server_side=True)

        thread = threading.Thread(target=shake_hands, daemon=True)
        thread.start()
        peer = replace(ANY_PEER, address=f"https://127.0.0.1:{listening.getsockname()[1]}", authority=made.pem)
        with PeerClient(peer, key, utc_now) as client, pytest.raises(RemoteError) as raised:
            client.ask("GET", "/hello")
        thread.join(10)
    assert raised.value.code == "archive.peer-certificate-time"
    assert f"{utc_now():%Y-%m-%d}" in str(raised.value.reason)
