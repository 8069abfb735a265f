"""Why another installation refused: in words for a person, by the code that it told."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.archive.pairing.problems import PEER_REFUSED
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
OTHERWISE = text("it gave no reason that is known here")


def refusal(code: str) -> InputError:
    """The error for a refusal with `code`, which is not signed: no more than a hint for a person."""
    return InputError(PEER_REFUSED, why=WHY.get(code, OTHERWISE), code=code)
