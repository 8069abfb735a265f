"""Why another installation refused: in words for a person, by the code that it told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from bingcheng.archive.pairing.problems import CLOCKS_DIFFER, PEER_REFUSED
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text

WHY: Mapping[str, Text] = MappingProxyType(
    {
        "archive.not-paired": text(
            "it does not know our key: its operator has not confirmed the pairing yet or has revoked it, "
            "or one of the two keys was made anew"
        ),
        "archive.clocks-differ": text("the clocks of the two servers differ by more than five minutes"),
        "archive.peer-not-permitted": text("its operator does not allow this to us"),
        "archive.no-receiving-hospital": text("its operator has chosen no hospital that receives cases"),
        "archive.not-whitelisted": text("something is in it that may not cross"),
        "archive.other-content": text("it got another content under the same name before"),
        "archive.too-much": text("too much was begun there, or the case is too large"),
        "archive.withdrawn-case": text("the case was withdrawn"),
        "archive.offer-ended": text("the case is not offered any more"),
        "archive.disk-full": text("its disk is full"),
    }
)
CLOCKS = text(
    "its clock says {theirs} and ours {ours} (UTC), and five minutes are the most that is allowed between them; "
    "whoever's clock is wrong sets it by a time server, and this goes on by itself"
)
"""Where it is known what the other clock says."""
OTHERWISE = text("it gave no reason that is known here")


def refusal(code: str, *, ours: datetime | None = None, theirs: datetime | None = None) -> InputError:
    """The error for a refusal with `code`, which is not signed: no more than a hint for a person.

    Parameters
    ----------
    ours, theirs : what the two clocks said when it came, UTC; None where that is not known.
    """
    why = WHY.get(code, OTHERWISE)
    if code == CLOCKS_DIFFER.code and ours is not None and theirs is not None:
        why = Text(CLOCKS.template, {"ours": f"{ours:%Y-%m-%d %H:%M}", "theirs": f"{theirs:%Y-%m-%d %H:%M}"})
    return InputError(PEER_REFUSED, why=why, code=code)
