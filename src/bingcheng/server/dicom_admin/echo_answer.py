"""What came of an echo, in words for whoever sets up a peer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.archive.dimse.calling import Caller, echo
from bingcheng.archive.dimse.peers import Peer
from bingcheng.archive.dimse.problems import NO_ANSWER, NOT_ADMITTED
from bingcheng.archive.dimse.tls import EXPIRED, OURS_EXPIRED, OURS_REFUSED
from bingcheng.core.errors import BingchengError
from bingcheng.core.wording import Text, text

_CONNECTING: Mapping[str, Text] = MappingProxyType(
    {
        "ConnectionRefusedError": text("The host is there, but nothing listens at this port. Check the port."),
        "TimeoutError": text("Nothing answered in time. Check the address, and any firewall between."),
        "gaierror": text("This server can't find a host of that name. Check the name, or give the address."),
        "SSLCertVerificationError": text(
            "Its certificate is not signed by an authority that this server trusts, or is for another host."
        ),
        EXPIRED: text("Its certificate has expired. Whoever runs it must renew it."),
        OURS_EXPIRED: text("It does not take this server's certificate, which has expired. Renew it here."),
        OURS_REFUSED: text(
            "It does not take this server's certificate. Have it trust the authority that signed it, or give one here."
        ),
        "SSLError": text("It doesn't speak TLS at this port, or only in a version that is too old."),
    }
)
"""What to do, by the kind of error; the rest is told by the problem's own remedy."""
_TRANSIENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the peer said.

    Parameters
    ----------
    reason, remedy : why it did not answer as it should, and what to do; None if it did.
    """

    says: Text
    remedy: Text | None = None

    @property
    def good(self) -> bool:
        """Whether it answered as it should."""
        return self.remedy is None


def echoed(caller: Caller, peer: Peer) -> Answer:
    """Ask `peer` whether it is there and takes our calls; takes as long as `caller` has patience."""
    began = time.perf_counter()
    try:
        echo(caller, peer)
    except BingchengError as error:
        return Answer(says=error.reason, remedy=_remedy(error, caller, peer))
    took_ms = round(1000 * (time.perf_counter() - began))
    return Answer(says=text("{title} answered within {took_ms} ms.", title=peer.ae_title, took_ms=max(took_ms, 1)))


def _remedy(error: BingchengError, caller: Caller, peer: Peer) -> Text:
    facts = error.reason.facts
    if error.problem is NO_ANSWER and facts["error"] in _CONNECTING:
        return _CONNECTING[str(facts["error"])]
    if error.problem is NOT_ADMITTED:
        reply = (facts["result"], facts["source"], facts["reason"])
        # PS3.8 Table 9-21
        if reply[1:] == (1, 3):
            return text(
                "It doesn't know us. Enter our title {title} and this server's address there.", title=caller.ae_title
            )
        if reply[1:] == (1, 7):
            return text(
                "It goes by another title than {title}. Look it up there, and correct it here.", title=peer.ae_title
            )
        if reply[0] == _TRANSIENT:
            return text("It takes nobody just now. Try again later.")
    return Text(error.problem.remedy, facts)
