"""What names alone say of the lesions of two exams: which are the same, and which one exam alone has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bingcheng.compare.tracks import NamedLesions, by_name
from bingcheng.core.wording import text
from bingcheng.quantify.lesion.matching import Link, LinkKind, Matching, in_order

BY_NAMES = text("Told by names alone: the images of the two exams were not laid over each other.")


def one_sided(earlier: NamedLesions, later: NamedLesions) -> Matching | None:
    """The matching by names if at most one exam has lesions without partner, else None.

    Those lesions may be new or gone, fragments of others, or out of the other exam's sight: names can't tell, so that
    each needs a reader. Where both exams have lesions without partner these may even be the same.
    """
    found = by_name(earlier, later)
    gone = _alone(found, earlier.labels, LinkKind.VANISHED)
    new = _alone(found, later.labels, LinkKind.NEW)
    if gone and new:
        return None
    links = in_order([*found.links, *gone, *new])
    return replace(found, proposed=links, links=links)


def _alone(found: Matching, names: Iterable[str], kind: LinkKind) -> list[Link]:
    gone = kind is LinkKind.VANISHED
    paired = {key for link in found.links for key in (link.before if gone else link.after)}
    return [
        Link(
            kind=kind,
            before=(key,) if gone else (),
            after=() if gone else (key,),
            confidence=0.0,
            needs_reader=True,
            reasons=(BY_NAMES,),
        )
        for key in sorted(set(names) - paired)
    ]
