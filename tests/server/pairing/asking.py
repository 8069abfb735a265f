"""A paired installation that asks a server, by hand: each part of its request can be spoilt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bingcheng.archive.pairing import peers
from bingcheng.archive.pairing.card import PairingCard
from bingcheng.archive.pairing.fingerprint import fingerprint
from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.message import DIGEST, RECIPIENT, content_digest, request_parts, signed
from bingcheng.archive.pairing.permission import Permission

PREFIX = "/pairing/v1"
PUBLIC = "https://north.example"


@dataclass
class Asking:
    """The other side of a pairing with a `Served` application."""

    served: object
    key: InstallationKey
    number: int

    def request(self, method: str, path: str, body: bytes = b"", *, key=None, later_s: float = 0, **spoilt):
        """The answer to a signed request; `spoilt` replaces a covered part before it is signed, or a field after."""
        here = InstallationKey.of(self.served.site.workspace.folder)
        digest = spoilt.get("digest", content_digest(body))
        target = spoilt.get("target", f"{PUBLIC}{PREFIX}{path}")
        covered = request_parts(
            spoilt.get("signed_method", method), target, digest, spoilt.get("recipient", here.identifier)
        )
        now: datetime = self.served.clock() + timedelta(seconds=later_s)
        fields = {DIGEST: digest, RECIPIENT: here.identifier, **signed(key or self.key, covered, now)}
        fields.update(spoilt.get("fields", {}))
        client = self.served.anonymous()
        return client.request(method, f"{PREFIX}{path}", content=spoilt.get("sent", body), headers=fields), fields


def paired(served, may=tuple(Permission), *, confirmed: bool = True) -> Asking:
    """Another installation, paired with the served one."""
    key = InstallationKey.new()
    card = PairingCard(name="South", address="https://south.example", public=key.public)
    with served.site.workspace.writing() as connection:
        number = peers.propose(connection, card, InstallationKey.of(served.site.workspace.folder), served.clock())
        if confirmed:
            peers.confirm(connection, number, fingerprint(key.public), by=None, now=served.clock())
            peers.change(connection, number, address=card.address, may=may)
    return Asking(served, key, number)
