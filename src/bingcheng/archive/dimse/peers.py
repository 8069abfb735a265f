"""The peers: which device may call us from where, what it may ask for, and where it is called itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from bingcheng.archive.codec import storable
from bingcheng.archive.dimse.problems import (
    NO_SUCH_PEER,
    PEER_OF_OTHER,
    PEER_OVERLAP,
    WRONG_AE_TITLE,
    WRONG_NETWORK,
    WRONG_PORT,
)
from bingcheng.archive.dimse.tables import peer as table
from bingcheng.core.errors import InputError


class May(StrEnum):
    """What a peer may ask for; the echo is everybody's."""

    STORE = "store"
    QUERY = "query"
    RETRIEVE = "retrieve"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A device or archive that we know.

    Parameters
    ----------
    ae_title : as the device gives it when it calls, without spaces around it.
    networks : the addresses that it may call from, each an address or a network (``192.0.2.0/24``).
    space : where its objects go, and the only space that it sees.
    may : what it may ask for.
    host, port : where it is called for C-MOVE, storage commitment and sending; None if it only calls us.
    tls : whether it is called over TLS.
    note : words of the operator.
    number : given by the workspace; 0 before.
    """

    ae_title: str
    networks: tuple[str, ...]
    space: str
    may: frozenset[May]
    host: str | None = None
    port: int | None = None
    tls: bool = False
    note: str = ""
    number: int = 0

    def calls_from(self, address: str) -> bool:
        """Whether `address` is one of its own."""
        came = ip_address(address.partition("%")[0])
        if isinstance(came, IPv6Address) and came.ipv4_mapped:
            came = came.ipv4_mapped
        return any(came in network for network in _networks(self.networks))


def add_peer(connection: Connection, peer: Peer) -> Peer:
    """Keep a new peer; returned with its number.

    Raises
    ------
    InputError
        ``archive.wrong-ae-title``, ``archive.wrong-network``, ``archive.wrong-port``, ``archive.peer-overlap``,
        ``archive.peer-of-other-hospital``.
    """
    _check(connection, peer)
    number = connection.execute(insert(table).values(**_row(peer)).returning(table.c.id)).scalar_one()
    return replace(peer, number=number)


def change_peer(connection: Connection, peer: Peer) -> None:
    """Give the peer of that number its new settings; they hold from its next association on.

    Raises
    ------
    InputError
        ``archive.no-such-peer``, and what `add_peer` raises.
    """
    _check(connection, peer)
    if not connection.execute(update(table).where(table.c.id == peer.number).values(**_row(peer))).rowcount:
        raise InputError(NO_SUCH_PEER, number=peer.number)


def remove_peer(connection: Connection, number: int) -> None:
    """Forget a peer; what it sent stays.

    Raises
    ------
    InputError
        ``archive.no-such-peer``.
    """
    if not connection.execute(delete(table).where(table.c.id == number)).rowcount:
        raise InputError(NO_SUCH_PEER, number=number)


def peers(connection: Connection, spaces: Sequence[str] | None = None) -> tuple[Peer, ...]:
    """All peers, or those of `spaces`, in the order in which they were added."""
    query = select(table).order_by(table.c.id)
    if spaces is not None:
        query = query.where(table.c.space.in_(spaces))
    return tuple(_peer(row) for row in connection.execute(query))


def peers_titled(connection: Connection, ae_title: str) -> tuple[Peer, ...]:
    """The peers that give this title when they call; of several hospitals there may be several."""
    rows = connection.execute(select(table).where(table.c.ae_title == storable(ae_title)).order_by(table.c.id))
    return tuple(_peer(row) for row in rows)


def destination(connection: Connection, ae_title: str, space: str) -> Peer | None:
    """The peer of `space` that is called by this title; None if there is none, or none that can be called."""
    for peer in peers_titled(connection, ae_title):
        if peer.space == space and peer.host is not None:
            return peer
    return None


def valid_ae_title(ae_title: str) -> bool:
    """Whether PS3.5 6.2 allows it: 1 to 16 characters of the default repertoire, no backslash, not only spaces."""
    in_length = 0 < len(ae_title) <= 16 and ae_title == ae_title.strip()
    return in_length and ae_title.isascii() and ae_title.isprintable() and "\\" not in ae_title


def _check(connection: Connection, peer: Peer) -> None:
    if not valid_ae_title(peer.ae_title):
        raise InputError(WRONG_AE_TITLE)
    if (peer.host is None) != (peer.port is None) or (peer.port is not None and not 0 < peer.port < 65536):
        raise InputError(WRONG_PORT)
    own = _networks(peer.networks)
    # Of two hospitals too: were the narrower network to win, one hospital could draw another's exams to itself.
    for other in peers_titled(connection, peer.ae_title):
        if other.number != peer.number and any(_overlap(a, b) for a in own for b in _networks(other.networks)):
            if other.space != peer.space:
                raise InputError(PEER_OF_OTHER)
            raise InputError(PEER_OVERLAP, other=other.number)


def _networks(written: Sequence[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    found = []
    for one in written:
        try:
            network = ip_network(one, strict=False)
        except ValueError as error:
            raise InputError(WRONG_NETWORK, network=one) from error
        found.append(_unmapped(network))
    return tuple(found)


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """The IPv4 network that an IPv6 one stands for (``::ffff:192.0.2.0/120``): callers are compared as IPv4."""
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        address = network.network_address.ipv4_mapped
        if address is not None:
            return IPv4Network((address, network.prefixlen - 96))
    return network


def _overlap(a: IPv4Network | IPv6Network, b: IPv4Network | IPv6Network) -> bool:
    return a.version == b.version and a.overlaps(b)


def _row(peer: Peer) -> dict[str, Any]:
    return {
        "ae_title": peer.ae_title,
        "networks": " ".join(peer.networks),
        "space": peer.space,
        "may": " ".join(sorted(peer.may)),
        "host": peer.host,
        "port": peer.port,
        "tls": peer.tls,
        "note": storable(peer.note),
    }


def _peer(row: Row[Any]) -> Peer:
    return Peer(
        number=row.id,
        ae_title=row.ae_title,
        networks=tuple(row.networks.split()),
        space=row.space,
        may=frozenset(May(one) for one in row.may.split()),
        host=row.host,
        port=row.port,
        tls=row.tls,
        note=row.note,
    )
