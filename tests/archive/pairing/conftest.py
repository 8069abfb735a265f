"""Two installations without a server between them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.archive.empty import empty_workspace
from tests.archive.pairing.making import NOON, Room

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.pairing import peers
from bingcheng.archive.pairing.card import PairingCard
from bingcheng.archive.pairing.fingerprint import fingerprint
from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.workspace import Workspace


@dataclass
class Installation:
    workspace: Workspace
    objects: Objects
    key: InstallationKey
    room: Room
    name: str
    other: int = 0

    @property
    def card(self) -> PairingCard:
        return PairingCard(name=self.name, address=f"https://{self.name}.example", public=self.key.public)

    def peer(self):
        with self.workspace.reading() as connection:
            return peers.peer(connection, self.other)


def installation(folder, name: str, database_url: str | None = None, first: int = 1) -> Installation:
    workspace = Workspace.open(folder, database_url) if database_url else empty_workspace(folder)
    return Installation(workspace, Objects.open(workspace), InstallationKey.of(folder), Room(first), name)


def pair(one: Installation, other: Installation) -> None:
    """Both take the other's card, compare the fingerprints and allow everything."""
    for mine, theirs in ((one, other), (other, one)):
        with mine.workspace.writing() as connection:
            mine.other = peers.propose(connection, theirs.card, mine.key, NOON)
            peers.confirm(connection, mine.other, fingerprint(theirs.key.public), by=None, now=NOON)
            peers.change(connection, mine.other, address=theirs.card.address, may=Permission)


@pytest.fixture
def both(tmp_path):
    """Two paired installations."""
    north, south = installation(tmp_path / "north", "north"), installation(tmp_path / "south", "south", first=101)
    pair(north, south)
    yield north, south
    for one in (north, south):
        one.objects.close()
        one.workspace.close()
