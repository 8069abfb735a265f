"""What is answered to who stores: the Store Instances Response Module (PS3.18 annex I)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bingcheng.archive.dicomweb.answers import JsonObject
from bingcheng.archive.objects.received import Received, ReceivedStatus
from bingcheng.core.errors import BingchengError

PROCESSING, DUPLICATE, INVALID = 0x0110, 0x0111, 0x0117
"""Processing failure, duplicate SOP instance, invalid object instance (PS3.7 annex C)."""
NO_RESOURCES, MISMATCH, CANNOT_UNDERSTAND = 0xA700, 0xA900, 0xC000
"""Out of resources, dataset does not match, cannot understand (PS3.18 table I.2-2; PS3.4 table B.2-1)."""

REASONS: Mapping[str, int] = MappingProxyType(
    {
        "archive.not-dicom": CANNOT_UNDERSTAND,
        "archive.truncated-object": CANNOT_UNDERSTAND,
        "archive.bad-metadata": CANNOT_UNDERSTAND,
        "archive.unsupported-body": CANNOT_UNDERSTAND,
        "archive.bad-multipart": CANNOT_UNDERSTAND,
        "archive.slow-body": CANNOT_UNDERSTAND,
        "archive.wrong-uid": INVALID,
        "archive.missing-uid": INVALID,
        "archive.uids-disagree": INVALID,
        "archive.other-study": MISMATCH,
        "archive.too-large": NO_RESOURCES,
        "archive.body-too-large": NO_RESOURCES,
        "archive.disk-full": NO_RESOURCES,
    }
)
"""The failure reason of each problem; any other is a processing failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An object that was not stored, with its UIDs where it is known that they are ones."""

    reason: int
    sop_class_uid: str | None = None
    sop_uid: str | None = None

    @staticmethod
    def by(error: BingchengError, sop_class_uid: str | None = None, sop_uid: str | None = None) -> Refused:
        """The refusal that an error means."""
        reason = REASONS.get(error.code, PROCESSING)
        return Refused(reason=reason, sop_class_uid=sop_class_uid, sop_uid=sop_uid)


@dataclass(slots=True)
class StoreAnswer:
    """Gathers what became of each object.

    Parameters
    ----------
    study_url : address of a study by its UID.
    """

    study_url: Callable[[str], str]
    stored: list[Received] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def add(self, outcome: Received | Refused) -> None:
        """Take one in. Other bytes under a known UID are not stored: they wait for a person."""
        if isinstance(outcome, Refused):
            self.refused.append(outcome)
        elif outcome.status is ReceivedStatus.CONFLICT:
            self.refused.append(
                Refused(reason=DUPLICATE, sop_class_uid=outcome.sop_class_uid, sop_uid=outcome.sop_instance_uid)
            )
        else:
            self.stored.append(outcome)

    @property
    def status(self) -> int:
        """200 if all are stored, 202 if some are, 409 if none is (PS3.18 table 10.5.3-1)."""
        if not self.stored:
            return 409
        return 202 if self.refused else 200

    @property
    def place(self) -> str | None:
        """Where all that was stored can be retrieved; None if that are several studies, or nothing."""
        studies = {one.study_instance_uid for one in self.stored}
        return self.study_url(next(iter(studies))) if len(studies) == 1 else None

    def as_json(self) -> JsonObject:
        """The module as a dataset."""
        found: JsonObject = {}
        if (place := self.place) is not None:
            found["00081190"] = {"vr": "UR", "Value": [place]}
        known = [one for one in self.refused if one.sop_uid is not None]
        unknown = [one for one in self.refused if one.sop_uid is None]
        if known:
            found["00081198"] = {"vr": "SQ", "Value": [_failed(one) for one in known]}
        if self.stored:
            found["00081199"] = {"vr": "SQ", "Value": [self._referenced(one) for one in self.stored]}
        if unknown:
            # Objects that can't be told by their UIDs: Other Failures Sequence (annex I, table I.1-1).
            found["0008119A"] = {"vr": "SQ", "Value": [{"00081197": _reason(one)} for one in unknown]}
        return found

    def _referenced(self, one: Received) -> JsonObject:
        series = f"{self.study_url(one.study_instance_uid)}/series/{one.series_instance_uid}"
        return {
            "00081150": _uid(one.sop_class_uid),
            "00081155": _uid(one.sop_instance_uid),
            "00081190": {"vr": "UR", "Value": [f"{series}/instances/{one.sop_instance_uid}"]},
        }


def _failed(one: Refused) -> JsonObject:
    return {
        "00081150": _uid(one.sop_class_uid or ""),
        "00081155": _uid(one.sop_uid or ""),
        "00081197": _reason(one),
    }


def _uid(uid: str) -> dict[str, Any]:
    return {"vr": "UI", "Value": [uid]} if uid else {"vr": "UI"}


def _reason(one: Refused) -> dict[str, Any]:
    return {"vr": "US", "Value": [one.reason]}
