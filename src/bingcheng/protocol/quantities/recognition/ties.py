"""From what is possible by physics to one answer, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.protocol.attributes import Told
from bingcheng.protocol.naming import CERTAINTY, picked
from bingcheng.protocol.values import listed

SEVERAL_POSSIBLE = Problem(
    code="protocol.several-possible",
    says="{reason}: that leaves open which of these it is: {possible}",
    remedy="Say what this series is, or have the header written by the scanner sent in full.",
    owner=Owner.TECHNOLOGIST,
)
NOTHING_FITS = Problem(
    code="protocol.nothing-fits",
    says="{reason}: that fits none of the kinds of series that this program knows",
    remedy="Say what this series is, or have the header written by the scanner sent in full.",
    owner=Owner.TECHNOLOGIST,
)


def settled(
    about: str,
    possible: Sequence[str],
    acquisition: Acquisition,
    *,
    reason: Text,
    words: Mapping[str, Text],
    certainty: float,
) -> Told:
    """The one value of `possible`, if need be by name.

    Parameters
    ----------
    about : section of the vocabulary of names.
    possible : what physics leaves, in the order in which it is told to people.
    reason : the physics, as a phrase ("TR 4200 ms and TE 104 ms").
    words : how the values are called.
    certainty : of a value that physics alone decides; a name never makes more certain than `naming.CERTAINTY`.

    Raises
    ------
    Undefined
        ``protocol.several-possible``, ``protocol.nothing-fits``.
    """
    if len(possible) == 1:
        return Told(possible[0], reason, certainty)
    if not possible:
        raise Undefined(NOTHING_FITS, reason=reason)
    mention = picked(about, possible, acquisition)
    if mention is None:
        raise Undefined(SEVERAL_POSSIBLE, reason=reason, possible=listed([words[value] for value in possible]))
    remark = text(
        "{reason}: that leaves open {possible}; the name of the series says '{word}'",
        reason=reason,
        possible=listed([words[value] for value in possible]),
        word=mention.word,
    )
    return Told(mention.value, remark, min(CERTAINTY, certainty))
