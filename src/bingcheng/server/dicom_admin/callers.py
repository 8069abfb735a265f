"""Who called lately, from the audit trail: when each peer was last heard of, and who was turned away and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from types import MappingProxyType

from sqlalchemy import Connection, func, select

from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.tables import audit_event
from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.peers import Peer
from bingcheng.core.wording import Text, text
from bingcheng.server.dicom_admin.managed import hospital_of

TURNED_AWAY_WITHIN = timedelta(days=7)
HEARD_OF_WITHIN = timedelta(days=90)
MOST_EVENTS = 2000
"""Rejections that are looked through; one who is turned away every second has so many in half an hour."""
OF_DEVICES = (
    EventCode.NETWORK_ENTRY,
    EventCode.INSTANCES_TRANSFERRED,
    EventCode.QUERY,
    EventCode.INSTANCES_ACCESSED,
)
"""What devices do, as `bingcheng.server.background.services` records it."""
WHY: Mapping[str, Text] = MappingProxyType(
    {
        "/".join(map(str, pdus.UNKNOWN_CALLER)): text("No peer here has this title and address."),
        "/".join(map(str, pdus.UNKNOWN_CALLED)): text("It calls us by another title than ours."),
        "/".join(map(str, pdus.OTHER_PROTOCOL)): text("It speaks another version of the protocol."),
        "/".join(map(str, pdus.OTHER_APPLICATION)): text("It asks for another application than DICOM."),
        "/".join(map(str, pdus.LIMIT_EXCEEDED)): text("Too many associations at once."),
        "/".join(map(str, pdus.CONGESTED)): text("This server was too busy."),
    }
)
OTHERWISE = text("It was turned away.")
IPV4_BITS, IPV6_BITS = 24, 64
"""Addresses that share so many bits are taken for neighbours: the usual networks of a department."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """Somebody who was turned away.

    Parameters
    ----------
    ae_title, address : as it called itself, and from where; the title proves nothing.
    unknown : whether making a peer of it would help.
    """

    ae_title: str
    address: str
    times: int
    last: datetime
    why: Text
    unknown: bool


def last_heard_of(connection: Connection, peers: Sequence[Peer], now: datetime) -> dict[int, datetime]:
    """When each peer last did something here within `HEARD_OF_WITHIN`, by its number; by its title, that is."""
    if not peers:
        return {}
    event = audit_event.c
    query = (
        select(event.login, event.hospital, func.max(event.at))
        .where(
            event.at >= now - HEARD_OF_WITHIN,
            event.login.in_({one.ae_title for one in peers}),
            event.hospital.in_({hospital_of(one.space) for one in peers}),
            event.person.is_(None),
            event.code.in_([one.value for one in OF_DEVICES]),
        )
        .group_by(event.login, event.hospital)
    )
    found = {(login, hospital): at for login, hospital, at in connection.execute(query)}
    known = {one.number: found.get((one.ae_title, hospital_of(one.space))) for one in peers}
    return {number: at for number, at in known.items() if at is not None}


def turned_away(connection: Connection, peers: Sequence[Peer], now: datetime) -> list[TurnedAway]:
    """Who was turned away within `TURNED_AWAY_WITHIN` and would still be, the latest first.

    Parameters
    ----------
    peers : known by now; who has become one of them since is left out.
    """
    asked = Asked(
        of_installation=True, since=now - TURNED_AWAY_WITHIN, code=EventCode.SECURITY_ALERT.value, failed=True
    )
    found: dict[tuple[str, str, str], TurnedAway] = {}
    for one in events(connection, asked, limit=MOST_EVENTS):
        event = one.event
        if event.what != f"dimse-{EventKind.REJECTED.value}":
            continue
        key = (event.login, event.address, event.reason)
        before = found.get(key)
        found[key] = TurnedAway(
            ae_title=event.login,
            address=event.address,
            times=event.count + (before.times if before else 0),
            last=before.last if before else event.at,
            why=WHY.get(event.reason, OTHERWISE),
            unknown=event.reason == "/".join(map(str, pdus.UNKNOWN_CALLER)),
        )
    return [one for one in found.values() if not (one.unknown and _known(one, peers))]


def near(callers: Iterable[TurnedAway], peers: Sequence[Peer]) -> list[TurnedAway]:
    """Those that call from the networks of `peers`, or from beside them.

    Where several hospitals share an installation, nobody is told which devices another hospital has.
    """
    networks = [ip_network(written, strict=False) for peer in peers for written in peer.networks]
    kept = []
    for one in callers:
        try:
            address = ip_address(one.address.partition("%")[0])
        except ValueError:
            continue
        bits = IPV4_BITS if address.version == 4 else IPV6_BITS
        around = ip_network(f"{address}/{bits}", strict=False)
        if any(network.version == around.version and network.overlaps(around) for network in networks):
            kept.append(one)
    return kept


def _known(caller: TurnedAway, peers: Sequence[Peer]) -> bool:
    try:
        return any(one.ae_title == caller.ae_title and one.calls_from(caller.address) for one in peers)
    except ValueError:
        return False
