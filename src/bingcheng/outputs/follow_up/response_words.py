"""What RECIST 1.1 calls its answers and what it sees, on pages and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.compare.response import NewLesion, NonTargets, Response
from bingcheng.core.wording import Text, text

RESPONSE_WORDS: Mapping[Response, Text] = MappingProxyType(
    {
        Response.COMPLETE: text("complete response"),
        Response.PARTIAL: text("partial response"),
        Response.STABLE: text("stable disease"),
        Response.PROGRESSIVE: text("progressive disease"),
        Response.NEITHER: text("neither complete response nor progression"),
        Response.NOT_EVALUABLE: text("not evaluable"),
    }
)
NON_TARGET_WORDS: Mapping[NonTargets, Text] = MappingProxyType(
    {
        NonTargets.NONE: text("none followed"),
        NonTargets.GONE: text("all gone"),
        NonTargets.PRESENT: text("still there"),
        NonTargets.WORSE: text("clearly worse"),
        NonTargets.UNKNOWN: text("not known"),
    }
)
NEW_LESION_WORDS: Mapping[NewLesion, Text] = MappingProxyType(
    {
        NewLesion.NONE: text("none drawn"),
        NewLesion.EQUIVOCAL: text("perhaps"),
        NewLesion.UNEQUIVOCAL: text("new lesion"),
    }
)
TITLE = text("RECIST 1.1, calculated for a reader to check")
NOT_ALL_KNOWN = text("Without the size of every target there is no sum.")
FROM_NOTHING = text("From a sum of 0 mm there is no percentage.")
CAME_BACK = text("Something came back after a complete response, which is progression.")
