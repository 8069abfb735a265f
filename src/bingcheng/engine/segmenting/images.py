"""The one image on which lesions are drawn: a NIfTI file, or one volume of a DICOM series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Text, text
from bingcheng.dicom.exam import Exam, Series, VolumeFrames
from bingcheng.dicom.sources import mode_of
from bingcheng.engine.problems import NO_SUCH_PATH
from bingcheng.engine.radiomics.inputs import MODALITY_UNKNOWN, UNITS, Found, Source, Wanted, found
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

if TYPE_CHECKING:
    from bingcheng.engine.discretion import Discretion

NO_IMAGE = Problem(
    code="engine.segmentation-no-image",
    says="there is no image here on which a lesion could be drawn: {why}",
    remedy="Give a NIfTI file, or the folder of a CT, MR or PET series in DICOM.",
    owner=Owner.OPERATOR,
)
WHICH_IMAGE = Problem(
    code="engine.segmentation-which-image",
    says="there are several images here: {names}",
    remedy="Give the folder of one of them, or its name with --series.",
    owner=Owner.OPERATOR,
)
NO_SUCH_SERIES = Problem(
    code="engine.segmentation-no-such-series",
    says="no image here is called '{series}'; there are: {names}",
    remedy="Give --series with one of them.",
    owner=Owner.OPERATOR,
)
NO_MASK_HERE = Problem(
    code="engine.segmentation-no-mask",
    says="the mask draws nothing on this image: {why}",
    remedy="Give the mask that was drawn on this image.",
    owner=Owner.OPERATOR,
)

NOTHING_READABLE = text("no file of it can be read as an image")
NO_SERIES = text("it holds no slices")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenedImage:
    """An image in memory, ready to be drawn on.

    Parameters
    ----------
    name : of the image; no patient data.
    volume : PET as SUV where the header allows it.
    modality : DICOM modality.
    files : everything that it was read from, which no output may replace.
    frames : its DICOM slices, None for other files.
    study_uid : of its exam, None for other files.
    discretion : finds what betrays the patient, and so holds it; None for files that name none.
    remarks : what a person should know about how it was read.
    """

    name: str
    volume: Volume
    modality: str
    files: tuple[Path, ...]
    frames: VolumeFrames | None = None
    study_uid: str | None = None
    discretion: Discretion | None = field(default=None, repr=False)
    remarks: tuple[Text, ...] = ()

    def label(self, words: str) -> str:
        """A lesion's label without what betrays the patient."""
        return words if self.discretion is None else self.discretion.label(words)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnImage:
    """An image with the regions that a mask draws on it, and what of the mask could not be used."""

    image: OpenedImage
    regions: tuple[Region, ...]
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Candidate:
    name: str
    exam: Exam
    series: Series
    frames: VolumeFrames


def opened(path: Path, *, modality: str | None, series: str | None) -> OpenedImage:
    """The image at a path.

    Parameters
    ----------
    path : NIfTI, NRRD or MetaImage file, DICOM file, folder or zip.
    modality : what a file that does not say it shows; of DICOM only series of this modality are looked at.
    series : name or number of the series, if there are several.

    Raises
    ------
    InputError
        ``engine.no-such-path``, ``engine.radiomics-modality-unknown``, ``engine.segmentation-no-image``,
        ``engine.segmentation-which-image``, ``engine.segmentation-no-such-series``, and what the readers raise.
    """
    _must_exist(path)
    # A file of a format of its own is read without DICOM's machinery, which takes half a second to load.
    from bingcheng.engine.radiomics import files as plain  # noqa: PLC0415

    if not plain.is_file(path):
        return _from_dicom(path, modality, series)
    if modality is None:
        raise InputError(MODALITY_UNKNOWN)
    from bingcheng.image.nifti import read_volume  # noqa: PLC0415

    volume = read_volume(path, unit=UNITS[modality])
    return OpenedImage(name=plain.stem(path), volume=volume, modality=modality, files=(path,))


def opened_with_mask(path: Path, mask: Path, *, modality: str | None, series: str | None) -> DrawnImage:
    """The image at a path with all regions of a mask; see `bingcheng.engine.radiomics.inputs.found`.

    Raises
    ------
    InputError
        ``engine.no-such-path``, ``engine.radiomics-modality-unknown``, ``engine.radiomics-mixed-kinds``,
        ``engine.segmentation-no-mask``, ``engine.segmentation-which-image``, ``engine.segmentation-no-such-series``,
        and what the readers raise.
    """
    _must_exist(path)
    _must_exist(mask)
    there = found(path, mask, Wanted(modality=modality))
    if not there.sources:
        raise InputError(NO_MASK_HERE, why=_why(there.refusals, NO_SERIES))
    source = _one(there, series)
    if source.modality is None:
        raise InputError(MODALITY_UNKNOWN)
    subject = source.read()
    drawn_in = tuple(file for file in mask.rglob("*") if file.is_file()) if mask.is_dir() else (mask,)
    files: tuple[Path, ...] = (path, *drawn_in)
    exams: tuple[Exam, ...] = ()
    if subject.frames is not None:
        files = (*(frame.path for frame in subject.frames.frames), *drawn_in)
        exams = _exams_of(subject.frames)
    image = OpenedImage(
        name=subject.name,
        volume=subject.volume,
        modality=source.modality,
        files=files,
        frames=subject.frames,
        study_uid=exams[0].uid if exams else None,
        discretion=_discretion(exams),
    )
    return DrawnImage(image=image, regions=subject.regions, refusals=there.refusals)


def _must_exist(path: Path) -> None:
    if not mode_of(path):
        raise InputError(NO_SUCH_PATH, path=str(path))


def _one(there: Found, series: str | None) -> Source:
    names = ", ".join(source.name for source in there.sources)
    if series is None:
        if len(there.sources) > 1:
            raise InputError(WHICH_IMAGE, names=names)
        return there.sources[0]
    asked = series.strip().casefold()
    for source in there.sources:
        if asked in (source.name.casefold(), source.name.rpartition(" ")[2].casefold()):
            return source
    raise InputError(NO_SUCH_SERIES, series=series, names=names)


def _exams_of(frames: VolumeFrames) -> tuple[Exam, ...]:
    """The exam of some slices, from the header of the first."""
    from bingcheng.dicom.grouping.exams import exams as grouped  # noqa: PLC0415 - for DICOM alone
    from bingcheng.dicom.index.scan import index  # noqa: PLC0415

    return tuple(grouped(index([frames.frames[0].path])).exams)


def _discretion(exams: Sequence[Exam]) -> Discretion | None:
    if not exams:
        return None
    from bingcheng.engine.discretion import Discretion  # noqa: PLC0415 - for DICOM alone

    return Discretion.about(exams)


def _why(refusals: Sequence[Refusal], otherwise: Text) -> Text:
    return refusals[0].reason if refusals else otherwise


def _from_dicom(path: Path, modality: str | None, series: str | None) -> OpenedImage:
    from bingcheng.dicom.grouping.exams import exams as grouped  # noqa: PLC0415 - as above
    from bingcheng.dicom.index.scan import index  # noqa: PLC0415
    from bingcheng.engine.discretion import Discretion  # noqa: PLC0415

    scanned = index([path])
    grouping = grouped(scanned)
    discretion = Discretion.about(grouping.exams)
    candidates = _candidates(grouping.exams, modality)
    if not candidates:
        refusals = [discretion.refusal(one) for one in (*scanned.refusals, *grouping.refusals)]
        raise InputError(NO_IMAGE, why=_why(refusals, NO_SERIES if grouping.exams else NOTHING_READABLE))
    one = _chosen(candidates, series)
    volume, remarks = _read(one)
    return OpenedImage(
        name=one.name,
        volume=volume,
        modality=one.series.modality,
        files=tuple(dict.fromkeys(source.path for source in one.series.sources)),
        frames=one.frames,
        study_uid=one.exam.uid,
        discretion=discretion,
        remarks=remarks,
    )


def _candidates(exams: Sequence[Exam], modality: str | None) -> list[_Candidate]:
    from bingcheng.engine.plan import image_series  # noqa: PLC0415 - as above

    listed: list[_Candidate] = []
    for number, exam in enumerate(exams, start=1):
        usual = image_series(exam) or tuple(one for one in exam.series if one.volumes and not one.localiser)
        for series in (one for one in usual if modality in (None, one.modality)):
            name = series.modality if series.number is None else f"{series.modality} {series.number}"
            name = f"E{number:02d} {name}" if len(exams) > 1 else name
            for frames in series.volumes:
                key = ",".join(f"{axis}={value:g}" for axis, value in frames.key)
                whole = f"{name} {key}" if key and len(series.volumes) > 1 else name
                alike = sum(other.name.partition(" #")[0] == whole for other in listed)
                called = f"{whole} #{alike + 1}" if alike else whole
                listed.append(_Candidate(name=called, exam=exam, series=series, frames=frames))
    return listed


def _chosen(candidates: Sequence[_Candidate], series: str | None) -> _Candidate:
    names = ", ".join(one.name for one in candidates)
    if series is None:
        kept = list(candidates)
    else:
        asked = series.strip().casefold()
        kept = [one for one in candidates if one.name.casefold() == asked]
        kept = kept or [one for one in candidates if str(one.series.number) == asked]
        if not kept:
            raise InputError(NO_SUCH_SERIES, series=series, names=names)
    if len(kept) > 1:
        raise InputError(WHICH_IMAGE, names=", ".join(one.name for one in kept))
    return kept[0]


def _read(one: _Candidate) -> tuple[Volume, tuple[Text, ...]]:
    """The voxels; of PET as SUV where the header allows it, else as stored, which is said."""
    from bingcheng.dicom.facts.acquired import acquisition  # noqa: PLC0415 - as above
    from bingcheng.dicom.pixels.read import read_volume  # noqa: PLC0415
    from bingcheng.quantify.uptake.suv import suv  # noqa: PLC0415

    volume = read_volume(one.frames)
    if one.series.modality != "PT":
        return volume, ()
    try:
        return suv(volume, acquisition(one.series)), ()
    except Undefined as error:
        remedy = Text(error.problem.remedy, error.reason.facts)
        return volume, (text("No SUV: {reason}. {remedy}", reason=error.reason, remedy=remedy),)
