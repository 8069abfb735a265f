"""One compact row per DICOM instance: what grouping needs, typed; facts that instances share are stored once.

`Rows` turns raw elements into headers. Facts that a whole series has in common (patient, device, grid) are found again
by their raw bytes, so that they are decoded and kept once however many files there are.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bingcheng.core.refusal import Refusal
from bingcheng.dicom.exam import FrameSource, Patient
from bingcheng.dicom.index.elements import Elements, PrivateElements, first_item
from bingcheng.dicom.index.functional_groups import (
    B_MATRIX,
    FRAME_TAGS,
    FrameFacts,
    Triple,
    frames_of,
    traced_b_value,
)
from bingcheng.dicom.index.private import RawPrivate
from bingcheng.dicom.index.values import (
    beside,
    binary,
    count_of,
    doubles,
    floats,
    integer,
    moment,
    moment_of,
    number,
    parts,
    plain,
    words,
)
from bingcheng.dicom.vendors.diffusion import (
    PRIVATE_PLACES,
    b_value_in_words,
    private_b_value,
    private_direction,
)

Pair = tuple[float, float]
Sextuple = tuple[float, float, float, float, float, float]

_CHARACTER_SET = 0x00080005
_SERIES_TAGS = (
    *(_CHARACTER_SET, 0x00080016, 0x00080020, 0x00080030, 0x00080050, 0x00080060, 0x00080070, 0x00080080),
    *(0x00081010, 0x00081030, 0x0008103E, 0x00081090, 0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00181000),
    *(0x0020000D, 0x0020000E, 0x00200011, 0x00200052, 0x00080021, 0x00080031),
)
_IMAGE_TAGS = (
    *(0x00080008, 0x00180050, 0x00180088, 0x00280002, 0x00280004, 0x00280010, 0x00280011, 0x00280030, 0x00280100),
    *(0x00200037, 0x00180010, 0x00280008),
)
_INSTANCE_TAGS = (
    *(
        0x00080018,
        0x00080022,
        0x0008002A,
        0x00080032,
        0x00080023,
        0x00080033,
        0x00180024,
        0x00180080,
        0x00180081,
        0x00180082,
        0x00181060,
    ),
    *(
        0x00181314,
        0x00189087,
        0x00189089,
        0x00189601,
        *B_MATRIX,
        0x00204000,
        0x00200012,
        0x00200013,
        0x00200032,
        0x00200100,
        0x00541300,
    ),
)
WANTED = frozenset((*_SERIES_TAGS, *_IMAGE_TAGS, *_INSTANCE_TAGS, *FRAME_TAGS, 0x00020002, 0x00041220))
PRIVATE_GROUPS: PrivateElements = PRIVATE_PLACES
"""Where the vendors write b-values and diffusion directions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesIdentity:
    """What all instances of a series share. Dates and times as DICOM writes them are already `datetime`."""

    study_uid: str | None
    series_uid: str | None
    sop_class_uid: str | None
    modality: str | None
    series_number: int | None
    series_description: str | None
    series_at: datetime | None
    study_at: datetime | None
    study_description: str | None
    accession_number: str | None
    frame_of_reference_uid: str | None
    patient: Patient
    institution: str | None
    manufacturer: str | None
    model: str | None
    station_name: str | None
    serial_number: str | None
    series_date: str | None
    study_date: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """The grid and the pixel format of an image. `thickness_mm` and `spacing_between_mm` are as declared."""

    image_type: tuple[str, ...]
    rows: int | None
    columns: int | None
    spacing_mm: Pair | None
    orientation: Sextuple | None
    thickness_mm: float | None
    spacing_between_mm: float | None
    samples: int | None
    photometric: str | None
    bits_allocated: int | None
    contrast_agent: str | None
    frame_count: int
    transfer_syntax: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One instance.

    Parameters
    ----------
    root : the folder (or file) that was given; refusals name paths relative to it.
    source : the file.
    sop_instance_uid : None if the header lacks it.
    series, image : shared facts; `image` is None for objects without rows and columns.
    has_pixels : whether a pixel element is there.
    position_mm : Image Position (Patient), LPS.
    content_at : when the image was made of the data, which may be much later than `acquired_at`.
    frames : per-frame facts of an enhanced multi-frame object, else empty.
    defect : why its pixels can't be used although its header can be read; None if nothing is known against them.
    """

    root: Path
    source: FrameSource
    sop_instance_uid: str | None
    series: SeriesIdentity
    image: ImageFacts | None
    has_pixels: bool
    instance_number: int | None
    position_mm: Triple | None
    acquired_at: datetime | None
    content_at: datetime | None
    acquisition_number: int | None
    b_value: float | None
    gradient: Triple | None
    echo_time_ms: float | None
    inversion_time_ms: float | None
    repetition_time_ms: float | None
    flip_angle_deg: float | None
    temporal_position: int | None
    trigger_time_ms: float | None
    frame_reference_ms: float | None
    frames: tuple[FrameFacts, ...] = ()
    defect: Refusal | None = None

    @property
    def subject(self) -> str:
        """The path to name in a refusal: relative to what was given, so that no user's folders leak."""
        return relative(self.root, self.source)


def relative(root: Path, source: FrameSource) -> str:
    """The path of `source` below `root`, with the member of an archive behind an exclamation mark."""
    path = os.path.relpath(source.path, root) if source.path != root else source.path.name
    path = Path(path).as_posix()
    return path if source.member is None else f"{path}!{source.member}"


class Rows:
    """Makes headers; remembers the facts that files share."""

    def __init__(self) -> None:
        self._series: dict[tuple[bytes | None, ...], SeriesIdentity] = {}
        self._images: dict[tuple[object, ...], ImageFacts] = {}

    def header(self, root: Path, source: FrameSource, found: Elements) -> Header:
        """The row of one file."""
        raw, coding = found.values, found.coding
        get = raw.get
        series = self._identity(found)
        image = self._image_facts(found)
        diffusing = series.modality in ("MR", None)
        private = RawPrivate(found) if diffusing and found.private else None
        b_value = _b_value(found, private) if diffusing else None
        return Header(
            root=root,
            source=source,
            sop_instance_uid=plain(get(0x00080018)),
            series=series,
            image=image,
            has_pixels=found.pixels_at is not None and found.pixels_length != 0,
            instance_number=integer(get(0x00200013)),
            position_mm=_triple(floats(get(0x00200032), 3)),
            acquired_at=_acquired_at(found, series),
            content_at=_content_at(found, series),
            acquisition_number=integer(get(0x00200012)),
            b_value=b_value,
            gradient=_gradient(found, private, weighted=bool(b_value)) if diffusing else None,
            echo_time_ms=number(get(0x00180081)),
            inversion_time_ms=number(get(0x00180082)),
            repetition_time_ms=number(get(0x00180080)),
            flip_angle_deg=number(get(0x00181314)),
            temporal_position=integer(get(0x00200100)),
            trigger_time_ms=number(get(0x00181060)),
            frame_reference_ms=number(get(0x00541300)),
            frames=frames_of(raw, coding) if image is not None else (),
        )

    def _identity(self, found: Elements) -> SeriesIdentity:
        get = found.values.get
        key = tuple(map(get, _SERIES_TAGS))
        known = self._series.get(key)
        if known is None:
            known = self._series[key] = _identity(found)
        return known

    def _image_facts(self, found: Elements) -> ImageFacts | None:
        get = found.values.get
        if 0x00280010 not in found.values and found.pixels_at is None:
            return None
        key = (*map(get, _IMAGE_TAGS), found.transfer_syntax, found.coding)
        known = self._images.get(key)
        if known is None:
            known = self._images[key] = _image_facts(found)
        return known


def _identity(found: Elements) -> SeriesIdentity:
    get = found.values.get
    charset = get(_CHARACTER_SET)

    def said(tag: int) -> str | None:
        return words(get(tag), charset)

    series_date, study_date = plain(get(0x00080021)), plain(get(0x00080020))
    return SeriesIdentity(
        study_uid=plain(get(0x0020000D)),
        series_uid=plain(get(0x0020000E)),
        sop_class_uid=plain(get(0x00080016)) or plain(get(0x00020002)),
        modality=plain(get(0x00080060)),
        series_number=integer(get(0x00200011)),
        series_description=said(0x0008103E),
        series_at=moment(series_date, plain(get(0x00080031))),
        study_at=moment(study_date, plain(get(0x00080030)) or "00"),
        study_description=said(0x00081030),
        accession_number=said(0x00080050),
        frame_of_reference_uid=plain(get(0x00200052)),
        patient=Patient(
            patient_id=said(0x00100020) or "",
            issuer=said(0x00100021),
            name=said(0x00100010),
            birth_date=plain(get(0x00100030)),
        ),
        institution=said(0x00080080),
        manufacturer=said(0x00080070),
        model=said(0x00081090),
        station_name=said(0x00081010),
        serial_number=said(0x00181000),
        series_date=series_date,
        study_date=study_date,
    )


def _image_facts(found: Elements) -> ImageFacts:
    get, coding = found.values.get, found.coding
    return ImageFacts(
        image_type=parts(get(0x00080008)),
        rows=count_of(get(0x00280010), coding),
        columns=count_of(get(0x00280011), coding),
        spacing_mm=_pair(floats(get(0x00280030), 2)),
        orientation=_sextuple(floats(get(0x00200037), 6)),
        thickness_mm=number(get(0x00180050)),
        spacing_between_mm=number(get(0x00180088)),
        samples=count_of(get(0x00280002), coding),
        photometric=plain(get(0x00280004)),
        bits_allocated=count_of(get(0x00280100), coding),
        contrast_agent=words(get(0x00180010), get(_CHARACTER_SET)),
        frame_count=max(1, integer(get(0x00280008)) or 1),
        transfer_syntax=found.transfer_syntax,
    )


def _acquired_at(found: Elements, series: SeriesIdentity) -> datetime | None:
    """Acquisition time; a missing acquisition date is the series', then the study's, or the day beside it."""
    get = found.values.get
    time = plain(get(0x00080032))
    if time is None:
        return moment_of(plain(get(0x0008002A)))
    date = plain(get(0x00080022))
    if date is not None:
        return moment(date, time)
    if series.series_date is not None:
        return beside(moment(series.series_date, time), series.series_at)
    return beside(moment(series.study_date, time), series.study_at)


def _content_at(found: Elements, series: SeriesIdentity) -> datetime | None:
    """When the image was made; tells time points apart where the acquisition times were removed."""
    get = found.values.get
    return moment(plain(get(0x00080023)) or series.series_date or series.study_date, plain(get(0x00080033)))


def _b_value(found: Elements, private: RawPrivate | None) -> float | None:
    """The b-value in s/mm2: the public element, the b-matrix, else where each vendor puts it."""
    get = found.values.get
    public = binary(get(0x00189087), "d", found.coding)
    if public is not None and public >= 0:
        return public
    if 0x00189601 in found.values or 0x00189602 in found.values:
        traced = traced_b_value(first_item(get(0x00189601), found.coding, B_MATRIX) or found.values, found.coding)
        if traced is not None:
            return traced
    told = None if private is None else private_b_value(private)
    return told if told is not None else b_value_in_words(plain(get(0x00180024)), plain(get(0x00204000)))


def _gradient(found: Elements, private: RawPrivate | None, *, weighted: bool) -> Triple | None:
    """The direction of the diffusion gradient: the public element, else where each vendor puts it."""
    public = _triple(doubles(found.values.get(0x00189089), 3, found.coding))
    return public if public is not None or private is None or not weighted else private_direction(private)


def _triple(values: tuple[float, ...] | None) -> Triple | None:
    return None if values is None else (values[0], values[1], values[2])


def _pair(values: tuple[float, ...] | None) -> Pair | None:
    return None if values is None else (values[0], values[1])


def _sextuple(values: tuple[float, ...] | None) -> Sextuple | None:
    return None if values is None else (values[0], values[1], values[2], values[3], values[4], values[5])
