"""The form of a peer: what somebody typed, and the peer that it means."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, Field

from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.dimse.peers import May, Peer
from bingcheng.archive.dimse.problems import WRONG_PORT
from bingcheng.core.errors import InputError
from bingcheng.server.dicom_admin.managed import hospital_of
from bingcheng.server.dicom_admin.problems import IDLE_PEER, NO_HOSPITAL, WRONG_HOST

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?")
_SEPARATORS = re.compile(r"[\s,;]+")


class PeerForm(BaseModel):
    """What stands in the fields; shown again as it is if it can't be used."""

    ae_title: Annotated[str, Field(max_length=64)] = ""
    networks: Annotated[str, Field(max_length=2000)] = ""
    may: list[str] = Field(default_factory=list, max_length=8)
    host: Annotated[str, Field(max_length=300)] = ""
    port: Annotated[str, Field(max_length=16)] = ""
    tls: bool = False
    note: Annotated[str, Field(max_length=500)] = ""
    hospital: Annotated[str, Field(max_length=16)] = ""

    @staticmethod
    def of(peer: Peer) -> PeerForm:
        """The form that shows a peer."""
        return PeerForm(
            ae_title=peer.ae_title,
            networks=" ".join(peer.networks),
            may=[one.value for one in peer.may],
            host=peer.host or "",
            port="" if peer.port is None else str(peer.port),
            tls=peer.tls,
            note=peer.note,
            hospital=str(hospital_of(peer.space)),
        )

    def peer(self, hospitals: Collection[int], number: int = 0) -> Peer:
        """The peer that is meant.

        Parameters
        ----------
        hospitals : those that it may belong to; if it is one only, nothing need be chosen.

        Raises
        ------
        InputError
            ``server.no-hospital``, ``server.wrong-host``, ``server.idle-peer``, ``archive.wrong-port``.
        """
        host, port = self.host.strip(), self.port.strip()
        if host and not _HOST.fullmatch(host):
            raise InputError(WRONG_HOST)
        if port and not (port.isascii() and port.isdecimal() and int(port)):
            raise InputError(WRONG_PORT)
        networks = tuple(one for one in _SEPARATORS.split(self.networks) if one)
        if not networks and not host:
            raise InputError(IDLE_PEER)
        return Peer(
            ae_title=self.ae_title.strip(),
            networks=networks,
            space=hospital_space(self._hospital(hospitals)),
            may=frozenset(one for one in May if one.value in self.may),
            host=host or None,
            port=int(port) if port else None,
            tls=self.tls,
            note=self.note.strip(),
            number=number,
        )

    def _hospital(self, hospitals: Collection[int]) -> int:
        if len(hospitals) == 1:
            return next(iter(hospitals))
        chosen = next((one for one in hospitals if str(one) == self.hospital), None)
        if chosen is None:
            raise InputError(NO_HOSPITAL)
        return chosen
