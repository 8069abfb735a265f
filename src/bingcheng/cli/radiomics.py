"""``bingcheng radiomics``: features of lesions from files, printed and written."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bingcheng.cli.exits import NOTHING_FOUND, OK, print_json, tell_error
from bingcheng.cli.progress import progress_bars
from bingcheng.cli.usage import WrongUsage
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import text
from bingcheng.engine.radiomics.call import Chosen, Extracted, Told, extracted
from bingcheng.engine.radiomics.inputs import MODALITY_UNKNOWN, NOTHING_TO_MEASURE, Found, Wanted, found, modality_of
from bingcheng.engine.radiomics.kernels import prepare
from bingcheng.engine.radiomics.settings import Given, for_modality, limited, read_settings, template
from bingcheng.outputs.language import Language
from bingcheng.outputs.radiomics.table import as_json, checked_ending, checked_place, written
from bingcheng.quantify.radiomics.image_type import ImageType
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

NO_IMAGE = Problem(
    code="cli.radiomics-no-image",
    says="no image is named",
    remedy="Name an image and its mask, or a folder; `bingcheng radiomics --help` shows examples.",
    owner=Owner.OPERATOR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the person asked for; see the options of ``bingcheng radiomics``."""

    image: Path | None = None
    mask: Path | None = None
    settings: Path | None = None
    modality: str | None = None
    label: str | None = None
    families: str | None = None
    out: tuple[Path, ...] = ()
    wide: bool = False
    json: bool = False
    workers: int = 1
    uncertainty: bool = False
    map: str | None = None
    map_out: Path = Path("maps")
    map_radius: int = 3
    list: bool = False
    write_settings: Path | None = None


def run_radiomics(request: Request, language: Language) -> int:
    """Extract, print, write; returns the exit code.

    Raises
    ------
    InputError
        ``cli.radiomics-no-image``; what `found`, `read_settings` and `written` raise.
    """
    for path in request.out:
        checked_ending(path)
        checked_place(path)
    if request.write_settings is not None:
        return _write_settings(request.write_settings, request.modality, language)
    given = None if request.settings is None else read_settings(request.settings)
    if request.list:
        return _list(request, given, language)
    if request.image is None:
        raise WrongUsage(NO_IMAGE)
    return _extract(request, request.image, given, language)


def _extract(request: Request, image: Path, given: Given | None, language: Language) -> int:
    modality = modality_of(request.modality)
    label = request.label if request.label is not None or given is None else _label_of_file(request, given)
    try:
        there = found(image, request.mask, Wanted(modality=modality, label=label))
    except InputError as error:
        if error.code != NOTHING_TO_MEASURE.code:
            raise
        tell_error(language, error)
        return NOTHING_FOUND
    if given is None and any(source.modality is None for source in there.sources):
        raise InputError(MODALITY_UNKNOWN)

    def types(of: str | None) -> tuple[ImageType, ...]:
        chosen = given.image_types if given is not None else for_modality(of or "")
        return limited(chosen, _families(request))

    if given is not None and given.remarks and not request.json:
        _tell_remarks(given, language)
    with progress_bars(language, shown=not request.json and sys.stderr.isatty(), passing=True) as told:
        if there.sources:
            prepare(types(there.sources[0].modality), told)
        answer = extracted(there.sources, types, workers=request.workers, uncertainty=request.uncertainty, told=told)
        maps = _maps(request, there, types, told) if request.map is not None else ((), ())
    refusals = (*there.refusals, *answer.refusals, *maps[1])
    for path in request.out:
        written(path, answer.lesions, refusals, wide=request.wide, say=language.say)
    _report(request, language, Extracted(lesions=answer.lesions, refusals=refusals), there, maps[0])
    return OK if answer.lesions else NOTHING_FOUND


def _families(request: Request) -> list[str] | None:
    return None if request.families is None else request.families.split(",")


def _tell_remarks(given: Given, language: Language) -> None:
    from bingcheng.cli.radiomics_terminal import print_remarks  # noqa: PLC0415 - few give such a file

    print_remarks(Console(stderr=True), language, given.remarks)


def _label_of_file(request: Request, given: Given) -> str | None:
    """The label that a pyradiomics file names counts for label maps, not for the objects of DICOM."""
    from bingcheng.engine.radiomics.files import is_file  # noqa: PLC0415 - few give such a file

    return given.label if request.mask is not None and is_file(request.mask) else None


def _report(request: Request, language: Language, answer: Extracted, there: Found, maps: tuple[Path, ...]) -> None:
    if request.json:
        document = as_json(answer.lesions, answer.refusals, language.say)
        document["maps"] = [str(path) for path in maps]
        print_json(document)
        return
    from bingcheng.cli.radiomics_terminal import print_answer  # noqa: PLC0415 - not for other programs

    files = (*request.out, *maps)
    print_answer(language, answer, files=files, other_regions=there.other_regions, asked=request.uncertainty)


def _maps(request: Request, there: Found, types: Chosen, told: Told) -> tuple[tuple[Path, ...], tuple[Refusal, ...]]:
    from bingcheng.cli.radiomics_mapping import make_maps  # noqa: PLC0415 - few ask for maps

    return make_maps(
        there.sources,
        types,
        str(request.map),
        folder=request.map_out,
        radius_voxels=request.map_radius,
        workers=request.workers,
        told=told,
    )


def _list(request: Request, given: Given | None, language: Language) -> int:
    from bingcheng.cli.radiomics_terminal import features_as_json, print_features  # noqa: PLC0415

    types = limited(
        given.image_types if given is not None else (ImageType.of(RadiomicsSettings()),), _families(request)
    )
    if request.json:
        print_json(features_as_json(language, types))
    else:
        print_features(Console(), language, types)
    return OK


def _write_settings(path: Path, modality: str | None, language: Language) -> int:
    from bingcheng.cli.radiomics_terminal import save_settings  # noqa: PLC0415

    if path.suffix.lower() != ".toml":
        path = path.with_name(f"{path.name}.toml")
    save_settings(path, template(modality_of(modality) or "CT", language.say))
    said = text("Settings written to {file}; change what you need, and give it with --settings.", file=str(path))
    Console().print(language.say(said), highlight=False, markup=False, soft_wrap=True)
    return OK
