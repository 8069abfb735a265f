"""``bingcheng segment``: lesions outlined from marks or corrected by hand, measured, and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bingcheng.cli.exits import NOTHING_FOUND, OK, print_json
from bingcheng.cli.segment_asked import Edit, Mark, edits, marks
from bingcheng.cli.usage import WrongUsage
from bingcheng.core.errors import Owner, Problem
from bingcheng.core.wording import Text
from bingcheng.engine.radiomics.inputs import modality_of
from bingcheng.engine.segmenting.files import (
    DICOM,
    PICTURE,
    checked_for,
    checked_output,
    record_of,
    save,
    save_picture,
    with_tracking,
)
from bingcheng.engine.segmenting.images import OpenedImage, opened, opened_with_mask
from bingcheng.engine.segmenting.lesions import Drawn, corrected, drawn
from bingcheng.engine.segmenting.methods import (
    candidates,
    fitting,
    is_remote,
    named,
    plugin,
    remote_plugin,
    settings_of,
)
from bingcheng.engine.segmenting.places import Frame
from bingcheng.outputs.language import Language
from bingcheng.quantify.lesion.method import SegmentationMethod

NO_IMAGE = Problem(
    code="cli.segment-no-image",
    says="no image is named",
    remedy="Name an image and mark the lesion with --at, --box or --line; `bingcheng segment --help` shows examples.",
    owner=Owner.OPERATOR,
)
NO_MARK = Problem(
    code="cli.segment-no-mark",
    says="nothing says where the lesion is",
    remedy="Mark it with --at, --box or --line, or give a mask to correct with --mask.",
    owner=Owner.OPERATOR,
)
TWO_BEGINNINGS = Problem(
    code="cli.segment-two-beginnings",
    says="a lesion is either drawn from a mark or taken from a mask, not both",
    remedy="Leave out --mask, or all of --at, --box and --line.",
    owner=Owner.OPERATOR,
)
TWO_FRAMES = Problem(
    code="cli.segment-two-frames",
    says="positions are either in mm RAS or in voxels, not both",
    remedy="Leave out --ras or --voxel.",
    owner=Owner.OPERATOR,
)
NOTHING_ASKED = Problem(
    code="cli.segment-nothing-asked",
    says="nothing is to be done with the mask",
    remedy="Give corrections with --edit, or a file or picture to write with --out or --picture.",
    owner=Owner.OPERATOR,
)
SETTINGS_WITHOUT_METHOD = Problem(
    code="cli.segment-settings-without-method",
    says="parameters are given, but not of which method",
    remedy="Name the method with --method; `bingcheng segment --list` shows the parameters of each.",
    owner=Owner.OPERATOR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the person asked for; see the options of ``bingcheng segment``."""

    image: Path | None = None
    clicks: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    ras: bool = False
    voxel: bool = False
    modality: str | None = None
    series: str | None = None
    method: str | None = None
    settings: tuple[str, ...] = ()
    list: bool = False
    mask: Path | None = None
    region: str | None = None
    edits: tuple[str, ...] = ()
    label: str | None = None
    out: tuple[Path, ...] = ()
    picture: Path | None = None
    model: str | None = None
    allow_remote: bool = False
    token_file: Path | None = None
    json: bool = False

    @property
    def frame(self) -> Frame:
        """In what positions are written."""
        if self.voxel:
            return Frame.VOXEL
        return Frame.RAS if self.ras else Frame.LPS


def run_segment(request: Request, language: Language) -> int:
    """Outline or correct, print, write; returns the exit code.

    Raises
    ------
    WrongUsage
        ``cli.segment-...`` where the command does not say what to do.
    BingchengError
        what `opened`, `drawn`, `corrected` and `save` raise.
    """
    modality = modality_of(request.modality)
    if request.list:
        return _list(request, modality, language)
    marked, asked = _checked(request)
    assert request.image is not None
    if request.mask is None:
        image = opened(request.image, modality=modality, series=request.series)
        checked_for(image, _files(request))
        found = _drawn(request, image, marked, asked, language)
    else:
        there = opened_with_mask(request.image, request.mask, modality=modality, series=request.series)
        image = there.image
        checked_for(image, _files(request))
        found = _corrected(request, image, there.regions, asked)
        found = replace(found, refusals=there.refusals)
    return _ended(request, image, found, language)


def _checked(request: Request) -> tuple[tuple[Mark, ...], tuple[Edit, ...]]:
    """The marks and corrections, if the command makes sense; before anything is read."""
    if request.image is None:
        raise WrongUsage(NO_IMAGE)
    if request.ras and request.voxel:
        raise WrongUsage(TWO_FRAMES)
    marked, asked = marks(request.clicks, request.boxes, request.lines), edits(request.edits)
    if request.mask is not None and marked:
        raise WrongUsage(TWO_BEGINNINGS)
    if request.mask is None and not marked:
        raise WrongUsage(NO_MARK)
    if request.mask is not None and not (asked or _files(request)):
        raise WrongUsage(NOTHING_ASKED)
    if request.settings and not (request.method or request.model):
        raise WrongUsage(SETTINGS_WITHOUT_METHOD)
    for path in request.out:
        checked_output(path)
    if request.picture is not None:
        checked_output(request.picture, (PICTURE,))
    return marked, asked


def _files(request: Request) -> tuple[Path, ...]:
    return request.out if request.picture is None else (*request.out, request.picture)


def _drawn(
    request: Request, image: OpenedImage, marked: Sequence[Mark], asked: Sequence[Edit], language: Language
) -> Drawn:
    geometry = image.volume.geometry
    methods = _methods(request, image.modality, marked, language)
    settings = settings_of(methods[0], request.settings)
    corrections = [one.correction(request.frame, geometry) for one in asked]
    prompts = [mark.prompt(request.frame, geometry) for mark in marked]
    labels = _labels(request.label, len(prompts))
    return drawn(image, list(zip(labels, prompts, strict=True)), methods, settings, corrections)


def _labels(label: str | None, count: int) -> list[str]:
    if label is not None and count == 1:
        return [label]
    return [f"{label or 'Lesion'} {number}" for number in range(1, count + 1)]


def _methods(
    request: Request, modality: str, marked: Sequence[Mark], language: Language
) -> tuple[SegmentationMethod, ...]:
    """The method that draws; by default with those to try after it."""
    if request.model is not None:
        return (_plugin(request, request.model, modality, language),)
    if request.method is not None:
        return (fitting(named(request.method), modality),)
    return candidates(modality, [mark.kind for mark in marked])


def _plugin(request: Request, model: str, modality: str, language: Language) -> SegmentationMethod:
    from bingcheng.cli.segment_terminal import print_leaving, print_licence  # noqa: PLC0415 - few use plug-ins

    if is_remote(model):
        print_leaving(language, model)
        return remote_plugin(
            model, model=request.method, modality=modality, allowed=request.allow_remote, token=request.token_file
        )
    method, commercial = plugin(model)
    print_licence(language, method, commercial)
    return fitting(method, modality)


def _corrected(request: Request, image: OpenedImage, regions: Sequence[object], asked: Sequence[Edit]) -> Drawn:
    corrections = [one.correction(request.frame, image.volume.geometry) for one in asked]
    outlines = corrected(image, regions, request.region, corrections)  # type: ignore[arg-type]
    if request.label is not None and len(outlines) == 1:
        only = outlines[0]
        outlines = (replace(only, region=replace(only.region, label=image.label(request.label))),)
    return Drawn(outlines=outlines)


def _ended(request: Request, image: OpenedImage, found: Drawn, language: Language) -> int:
    files = _files(request) if found.outlines else ()
    if any(path.name.lower().endswith(DICOM) for path in files):
        found = replace(found, outlines=with_tracking(image, found.outlines))

    def record() -> dict[str, object]:
        return record_of(image, found.outlines, found.refusals, files, language.say)

    captions: tuple[Text, ...] = ()
    if found.outlines:
        for path in request.out:
            save(path, image, found.outlines, record)
        if request.picture is not None:
            captions = save_picture(request.picture, image, [one.region for one in found.outlines])
    if request.json:
        print_json(record())
    else:
        from bingcheng.cli.segment_terminal import print_answer  # noqa: PLC0415 - not for other programs

        print_answer(language, image, found, files=files, captions=captions, chosen=request.method or request.model)
    return OK if found.outlines else NOTHING_FOUND


def _list(request: Request, modality: str | None, language: Language) -> int:
    from bingcheng.cli.segment_terminal import methods_as_json, print_methods  # noqa: PLC0415

    if request.json:
        print_json(methods_as_json(language, modality))
    else:
        print_methods(language, modality)
    return OK
