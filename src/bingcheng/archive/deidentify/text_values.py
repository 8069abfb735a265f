"""What may stay of the text of an object: of a description, of a label, of what a code means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bingcheng.archive.deidentify import codes, labels
from bingcheng.archive.deidentify.identifiers import Identifiers
from bingcheng.archive.deidentify.level import Level
from bingcheng.archive.deidentify.rules import Rules
from bingcheng.archive.deidentify.vocabulary import cleaned


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextValues:
    """How the text of one object is cleaned.

    Parameters
    ----------
    known : names and numbers that were found in the object.
    """

    rules: Rules
    known: Identifiers

    def stays(self, tag: int, vr: str, parts: Sequence[str], level: Level) -> list[str]:
        """What may stay of each value of a text."""
        if tag not in self.rules.by_tag and not level.content and vr in ("LO", "SH", "CS") and tag not in codes.CODED:
            return labels.kept(tag, parts, partial(self.label, of_device=vr != "CS"))
        more = self.rules.profile.words
        if tag == codes.CODE_MEANING and level.coded is not None:
            stays = [cleaned(part, self.known.forbids_in_labels, more) for part in parts]
            if stays == parts:
                return stays
            more = more | level.coded.words()
        return [cleaned(part, self.known.forbids, more, own_b_values=self.known.b_values) for part in parts]

    def label(self, said: str, *, of_device: bool = False) -> str:
        """What of a label may stay that a device writes about itself."""
        forbids, more, own = self.known.forbids_in_labels, self.rules.device_words, self.known.b_values
        return cleaned(said, forbids, more, of_device=of_device, own_b_values=own)

    def description(self, said: str) -> str:
        """What of a description may stay."""
        return cleaned(said, self.known.forbids, self.rules.profile.words)
