"""How an association comes to its end."""

from __future__ import annotations

from enum import StrEnum


class Ending(StrEnum):
    """Why nothing more comes."""

    RELEASED = "released"
    ABORTED = "aborted by the peer"
    LOST = "connection lost"
    SLOW = "too slow"
    VIOLATED = "not the protocol"
    STOPPED = "stopped by us"


class Ended(Exception):  # noqa: N818 - an end is no error
    """The association is over.

    Parameters
    ----------
    ending : how.
    reason : of a violation, the reason that A-ABORT gives (PS3.8 Table 9-26).
    """

    def __init__(self, ending: Ending, reason: int = 0) -> None:
        super().__init__(ending.value)
        self.ending = ending
        self.reason = reason


UNRECOGNISED_PDU = 1
UNEXPECTED_PDU = 2
INVALID_PARAMETER = 6
