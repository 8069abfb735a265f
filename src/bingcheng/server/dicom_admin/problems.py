"""What can be wrong with a form of these pages."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

WRONG_HOST = Problem(
    code="server.wrong-host",
    says="this can't be the host of a peer",
    remedy="Write a name such as pacs.hospital.example or an address such as 192.0.2.7, without a port.",
    owner=Owner.OPERATOR,
)
IDLE_PEER = Problem(
    code="server.idle-peer",
    says="a peer needs addresses from which it calls, or a host and port at which it is called",
    remedy="Give the addresses of a scanner; give host and port of an archive; give both if it does both.",
    owner=Owner.OPERATOR,
)
NO_HOSPITAL = Problem(
    code="server.no-hospital",
    says="it is not said to which hospital the peer belongs",
    remedy="Choose a hospital.",
    owner=Owner.OPERATOR,
)
NOT_SURE = Problem(
    code="server.not-sure",
    says="it was not confirmed, so nothing was changed",
    remedy="Tick that you are sure: what is given up can't be brought back.",
    owner=Owner.OPERATOR,
)
WRONG_ENDING = Problem(
    code="server.wrong-ending",
    says="these are not the last characters of the study's UID, so nothing was deleted",
    remedy="Compare the UID with the study that you mean, and type its last six characters.",
    owner=Owner.OPERATOR,
)
NO_SUCH_TARGET = Problem(
    code="server.no-such-target",
    says="this hospital has no such peer to which exams can be sent",
    remedy="Choose another, or ask the administrator to give the peer a host and port.",
    owner=Owner.OPERATOR,
)
