"""What can be wrong with a peer, or go wrong when one is called."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

WRONG_AE_TITLE = Problem(
    code="archive.wrong-ae-title",
    says="this can't be an application entity title",
    remedy="Use 1 to 16 letters, digits or signs of ASCII, without a backslash, as the device itself is set up.",
    owner=Owner.OPERATOR,
)
WRONG_NETWORK = Problem(
    code="archive.wrong-network",
    says="'{network}' is not an address or a network",
    remedy="Write an address as 192.0.2.7 or a network as 192.0.2.0/24.",
    owner=Owner.OPERATOR,
)
WRONG_PORT = Problem(
    code="archive.wrong-port",
    says="a peer that is called needs a host and a port between 1 and 65535",
    remedy="Give both, or neither for a peer that only calls us.",
    owner=Owner.OPERATOR,
)
PEER_OVERLAP = Problem(
    code="archive.peer-overlap",
    says="peer {other} has the same title and an address in common, so that nobody could tell the two apart",
    remedy="Narrow the networks of one of them, or give the device another title.",
    owner=Owner.OPERATOR,
)
PEER_OF_OTHER = Problem(
    code="archive.peer-of-other-hospital",
    says="another hospital has a device of the same title that calls from one of these addresses",
    remedy="Enter only the addresses of your own device. If they are, ask the operator, who sees the peers of all.",
    owner=Owner.OPERATOR,
)
NO_SUCH_PEER = Problem(
    code="archive.no-such-peer",
    says="there is no peer {number}",
    remedy="Look up its number in the list of peers.",
    owner=Owner.OPERATOR,
)
PORT_TAKEN = Problem(
    code="archive.port-taken",
    says="port {port} can't be listened on ({error})",
    remedy="Choose another port, or end the program that uses this one. Ports below 1024 need a right to them.",
    owner=Owner.OPERATOR,
)
WRONG_CERTIFICATE = Problem(
    code="archive.wrong-certificate",
    says="the certificate, its key or the trusted certificates can't be used ({error})",
    remedy="Give PEM files: the certificate with its chain, its private key without a password, and the authorities.",
    owner=Owner.OPERATOR,
)
NO_ANSWER = Problem(
    code="archive.no-answer",
    says="the peer did not answer at its host and port ({error})",
    remedy="Check that it runs, that its host and port are right, and that no firewall stands between.",
    owner=Owner.OPERATOR,
)
NOT_ADMITTED = Problem(
    code="archive.not-admitted",
    says="the peer refused the association (result {result}, source {source}, reason {reason})",
    remedy="Enter our title and address in the settings of the peer, and its own title here as it is set up there.",
    owner=Owner.OPERATOR,
)
BROKEN_OFF = Problem(
    code="archive.association-broken",
    says="the association with the peer ended before all was done ({how})",
    remedy="Try again; if it happens often, look at the network and at the log of the peer.",
    owner=Owner.OPERATOR,
)
NOT_OFFERED = Problem(
    code="archive.not-offered",
    says="the peer does not offer the service that was asked for",
    remedy="Switch it on in the settings of the peer.",
    owner=Owner.OPERATOR,
)
