"""Instances that claim one SOP Instance UID: copies are dropped, contradictions refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from bingcheng.core.errors import BingchengError, InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.grouping.sop_classes import IMAGE_CLASSES
from bingcheng.dicom.index.elements import Broken, Elements, NeedMore, NotDicom, scan
from bingcheng.dicom.index.functional_groups import PER_FRAME, SHARED
from bingcheng.dicom.index.headers import Header
from bingcheng.dicom.pixels.frames import PixelFile
from bingcheng.dicom.pixels.real_values import VALUE_TAGS
from bingcheng.dicom.sources import open_source

DUPLICATE_UID = Problem(
    code="dicom.duplicate-uid",
    says="{count} files claim the same SOPInstanceUID but hold different content; none of them is used",
    remedy="Find out which one is right and remove the others.",
    owner=Owner.ARCHIVE,
)
COPY = Problem(
    code="dicom.copy",
    says="the file is a copy of another one that was given too; it is used once",
    remedy="Nothing needs to be done.",
    owner=Owner.OPERATOR,
)


def without_duplicates(headers: Iterable[Header]) -> tuple[list[Header], list[Refusal]]:
    """The headers with each SOP instance once; a refusal for each contradiction, and one a series for its copies.

    Of contradicting objects none is kept; of contradicting slices one, whose `defect` keeps it from being used.
    """
    claims: dict[str, list[Header]] = {}
    for header in headers:
        claims.setdefault(header.sop_instance_uid or "", []).append(header)
    kept: list[Header] = []
    refusals: list[Refusal] = []
    copies: dict[str | None, Refusal] = {}
    for uid, claimants in claims.items():
        first = claimants[0]
        if len(claimants) == 1:
            kept.append(first)
        elif _same_place(claimants) and (_alike(claimants, _stored_digest) or _alike(claimants, _decoded_digest)):
            kept.append(first)
            known = copies.get(first.series.series_uid)
            count = len(claimants) - 1 + (known.count if known else 0)
            noted = known or _refusal(InputError(COPY), claimants[1], claimants[1].subject)
            copies[first.series.series_uid] = replace(noted, count=count)
        else:
            refusal = _refusal(InputError(DUPLICATE_UID, count=len(claimants)), first, uid)
            refusals.append(refusal)
            if first.series.sop_class_uid in IMAGE_CLASSES:
                # The slot stays, as unusable: without it a volume would look complete.
                kept.append(replace(first, defect=refusal))
    return kept, [*refusals, *copies.values()]


def _refusal(error: InputError, header: Header, subject: str) -> Refusal:
    return Refusal.of(
        error,
        kind=SubjectKind.FILE,
        subject=subject,
        study_uid=header.series.study_uid,
        series_uid=header.series.series_uid,
    )


def _same_place(headers: Iterable[Header]) -> bool:
    """Whether they agree on where they belong: study, series, patient, and position."""
    places = {(h.series.study_uid, h.series.series_uid, h.series.patient.patient_id, h.position_mm) for h in headers}
    return len(places) == 1


def _alike(headers: Iterable[Header], digest: Callable[[Header], str | None]) -> bool:
    digests = {digest(header) for header in headers}
    return len(digests) == 1 and None not in digests


def _stored_digest(header: Header) -> str | None:
    """A digest of the pixels as stored and of how they are read; of the whole file where there are none."""
    try:
        with open_source(header.source) as stream:
            data = stream.read()
        found = scan(data, len(data), _MEANING)
    except (BingchengError, OSError, Broken, NeedMore, NotDicom):
        return None
    start = 0 if found.pixels_at is None or found.size != len(data) else found.pixels_at
    return hashlib.sha256(_meaning(found) + data[start:]).hexdigest()


def _decoded_digest(header: Header) -> str | None:
    """The same of the decoded pixels: equal for a copy in another lossless transfer syntax."""
    if header.series.sop_class_uid not in IMAGE_CLASSES or header.image is None:
        return None
    try:
        with open_source(header.source) as stream:
            file = PixelFile(stream)
            digest = hashlib.sha256(_meaning(file.elements))
            for _, stored in file.frames(range(header.image.frame_count)):
                digest.update(np.ascontiguousarray(stored, dtype=np.float64).tobytes())
    except (BingchengError, OSError):
        return None
    return digest.hexdigest()


_MEANING = VALUE_TAGS - {SHARED, PER_FRAME}


def _meaning(found: Elements) -> bytes:
    """What turns stored values into real ones, as written."""
    return repr([(tag, found.values.get(tag, b"").strip(b"\0 ")) for tag in sorted(_MEANING)]).encode()
