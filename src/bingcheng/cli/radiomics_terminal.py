"""What a person reads of radiomics in the terminal: features by family, settings, remarks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bingcheng.core.errors import InputError, Undefined
from bingcheng.core.wording import Text, text
from bingcheng.engine.radiomics.call import Extracted
from bingcheng.outputs.language import SUPERSCRIPTS, Language, several
from bingcheng.outputs.radiomics.table import LesionFeatures
from bingcheng.outputs.radiomics.units import symbol
from bingcheng.quantify.radiomics.families import Entry, all_features
from bingcheng.quantify.radiomics.feature import Aggregation, Family
from bingcheng.quantify.radiomics.image_type import ORIGINAL, ImageType
from bingcheng.quantify.radiomics.pyradiomics_remark import Fit, Remark
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

FAMILIES: Mapping[Family, Text] = MappingProxyType(
    {
        Family.MORPHOLOGY: text("Morphology"),
        Family.LOCAL_INTENSITY: text("Local intensity"),
        Family.STATISTICS: text("Intensity statistics"),
        Family.HISTOGRAM: text("Intensity histogram"),
        Family.VOLUME_HISTOGRAM: text("Intensity-volume histogram"),
        Family.COOCCURRENCE: text("Co-occurrence of grey levels"),
        Family.RUN_LENGTH: text("Run lengths of grey levels"),
        Family.SIZE_ZONE: text("Sizes of zones of one grey level"),
        Family.DISTANCE_ZONE: text("Distances of zones from the edge"),
        Family.GREY_TONE_DIFFERENCE: text("Grey tone differences"),
        Family.GREY_LEVEL_DEPENDENCE: text("Dependence of grey levels"),
    }
)
FITS: Mapping[Fit, tuple[str, Text]] = MappingProxyType(
    {
        Fit.SAME: ("green", text("the same")),
        Fit.DIFFERS: ("yellow", text("with a difference")),
        Fit.LEFT_OUT: ("bold red", text("left out")),
    }
)
GRADES: Mapping[str, Text] = MappingProxyType(
    {
        "excellent": text("excellent"),
        "good": text("good"),
        "moderate": text("moderate"),
        "poor": text("poor"),
        "unknown": text("unknown"),
    }
)
MOST_WHOLE = 3
"""Of so many lesions every feature is printed; of more, one line a lesion."""
IN_SHORT = ("morph_vol_approx", "morph_diam", "stat_mean", "stat_max", "ih_entropy")
MOST_REFUSALS = 12
COVERAGE_FACTOR = 2.0
LARGE = 1e6
"""From here on the zeros before the decimal point are too many to count."""


def print_answer(
    language: Language, answer: Extracted, *, files: Sequence[Path], other_regions: int, asked: bool
) -> None:
    """The features, what could not be measured, and where the files are.

    Parameters
    ----------
    other_regions : how many regions that are no lesions were left out.
    asked : whether the uncertainty was asked for.
    """
    console, say = Console(), language.say
    if len(answer.lesions) <= MOST_WHOLE:
        for one in answer.lesions:
            _print_lesion(console, language, one)
    else:
        _print_short(console, language, answer.lesions)
    if other_regions:
        left = several(
            "{count} region that is no lesion was left out; --label names it.",
            "{count} regions that are no lesions were left out; --label names one of them.",
            other_regions,
        )
        console.print(escape(say(left)), highlight=False)
    if answer.refusals:
        from bingcheng.cli.terminal import LEFT_OUT, print_refusals  # noqa: PLC0415 - heavy, and seldom needed

        heading = LEFT_OUT if answer.lesions else text("Nothing could be measured:")
        print_refusals(Console(stderr=True), language, answer.refusals, heading=heading, most=MOST_REFUSALS)
    for path in files:
        console.print(f"{say(text('Written'))}: {escape(str(path))}", highlight=False, soft_wrap=True)
    if answer.lesions and not asked:
        hint = text("With --uncertainty each value also has its uncertainty on this exam.")
        console.print(f"[dim]{escape(say(hint))}[/]", highlight=False)


def _print_lesion(console: Console, language: Language, one: LesionFeatures) -> None:
    say = language.say
    console.print()
    parts = [one.lesion, one.image, one.modality or ""]
    if one.image_type.name != ORIGINAL:
        parts.append(one.image_type.name)
    console.print(f"[bold]{escape(' · '.join(part for part in parts if part))}[/]", highlight=False)
    console.print(f"[dim]{escape(say(_voxels(one)))}[/]", highlight=False)
    console.print(f"[dim]{escape(steps_in_words(language, one))}[/]", highlight=False)
    if one.repetitions:
        told = text(
            "± is the expanded uncertainty (k = 2) from {count} perturbations of outline, position, noise, voxels and "
            "bins on this exam.",
            count=one.repetitions,
        )
        console.print(f"[dim]{escape(say(told))}[/]", highlight=False)
    reasons: dict[str, Undefined] = {}
    graded = any(grade.reason is None for grade in one.grades.values())
    table = _table(language, graded=graded)
    for family, group in groupby(one.values(), key=lambda pair: pair[0].feature.family):
        table.add_row()
        table.add_row(
            f"[bold cyan]{escape(say(FAMILIES[family]))}[/]", "", f"[dim]{family.name.lower()}[/]", family.value
        )
        _add_family(table, language, one, group, reasons)
    console.print(table)
    _print_reasons(console, language, reasons)
    _print_ungraded(console, language, one)


def _voxels(one: LesionFeatures) -> Text:
    z, y, x = (f"{step:.4g}" for step in one.result.geometry.spacing_mm)
    if one.result.counted == one.result.voxels:
        return text("{voxels} voxels of {z} × {y} × {x} mm (z, y, x)", voxels=one.result.voxels, z=z, y=y, x=x)
    return text(
        "{voxels} voxels of {z} × {y} × {x} mm (z, y, x); the intensity of {counted} counts",
        voxels=one.result.voxels,
        counted=one.result.counted,
        z=z,
        y=y,
        x=x,
    )


def steps_in_words(language: Language, one: LesionFeatures) -> str:
    """What was done to the image, in one line."""
    standardised = one.image_type.standardisation
    steps = [] if standardised is None else [text("Whole image standardised, times {scale}", scale=standardised.scale)]
    if one.result.tilt_deg is not None:
        tilt = f"{one.result.tilt_deg:.1f}"
        steps.append(text("Gantry tilted by {tilt}°: slices moved over each other first", tilt=tilt))
    for step in one.result.settings.steps():
        if step.ibsi is None:
            steps.append(text("{name}: {setting}", name=step.name, setting=step.setting))
        else:
            steps.append(text("{name}: {setting} ({ibsi})", name=step.name, setting=step.setting, ibsi=step.ibsi))
    listed = steps[0]
    for step_in_words in steps[1:]:
        listed = text("{first}; {next}", first=listed, next=step_in_words)
    return language.say(listed)


def _table(language: Language, *, graded: bool) -> Table:
    say = language.say
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(say(text("Feature")), overflow="fold")
    table.add_column(say(text("Value")), justify="right", no_wrap=True)
    table.add_column(say(text("Tag")), no_wrap=True, style="dim")
    table.add_column("IBSI", no_wrap=True, style="dim")
    if graded:
        table.add_column(say(text("Robustness")), no_wrap=True)
    return table


def _add_family(
    table: Table,
    language: Language,
    one: LesionFeatures,
    group: Iterable[tuple[Entry, float | Undefined]],
    reasons: dict[str, Undefined],
) -> None:
    say = language.say
    for entry, value in group:
        if isinstance(value, Undefined):
            reasons.setdefault(value.code, value)
            shown = f"[yellow]{escape(say(text('no value')))}[/]"
        else:
            number = number_in_words(language, value, one.standard_uncertainty.get(entry.tag))
            shown = escape(f"{number} {symbol(entry.unit_of(one.result.image_unit), language)}".rstrip())
        cells = [f"  {escape(say(entry.feature.label))}", shown, entry.tag, entry.ibsi]
        if len(table.columns) > len(cells):
            cells.append(say(GRADES[one.grades[entry.tag].grade]))
        table.add_row(*cells)


def number_in_words(language: Language, value: float, standard_uncertainty: float | None) -> str:
    """A value with as many digits as its expanded uncertainty justifies; large ones as a power of ten."""
    if standard_uncertainty is None:
        return language.number(value)
    wide = COVERAGE_FACTOR * standard_uncertainty
    size = max(abs(value), wide)
    if size < LARGE:
        return language.quantity(value, "1", wide)
    power = math.floor(math.log10(size))
    scaled = language.quantity(value / 10.0**power, "1", wide / 10.0**power)
    return f"({scaled}) × 10{str(power).translate(SUPERSCRIPTS)}"


def _print_reasons(console: Console, language: Language, reasons: Mapping[str, Undefined]) -> None:
    for code, reason in reasons.items():
        told = language.say(text("no value: {reason}", reason=reason.reason))
        console.print(f"\n[yellow]{escape(told)}[/] [dim]\\[{code}][/]", highlight=False)
        remedy = language.say(Text(reason.problem.remedy, reason.reason.facts))
        console.print(Padding(f"→ {escape(remedy)}", (0, 0, 0, 2)), highlight=False)


def _print_ungraded(console: Console, language: Language, one: LesionFeatures) -> None:
    reasons = {grade.reason.code: grade.reason for grade in one.grades.values() if grade.reason is not None}
    for reason in list(reasons.values())[:1]:
        told = language.say(text("Robustness unknown: {reason}", reason=reason.reason))
        console.print(f"\n[dim]{escape(told)}[/]", highlight=False)


def _print_short(console: Console, language: Language, lesions: Sequence[LesionFeatures]) -> None:
    """One line a lesion with what most people look for."""
    say = language.say
    shown = [tag for tag in IN_SHORT if any(tag in one.result.values for one in lesions)]
    labels = {entry.tag: entry for one in lesions[:1] for entry in one.entries()}
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in (text("Image"), text("Lesion"), text("Image type"), text("Voxels")):
        table.add_column(say(column), overflow="fold")
    for tag in shown:
        label = labels[tag].feature.label if tag in labels else tag
        table.add_column(say(label), justify="right")
    for one in lesions:
        cells = [one.image, one.lesion, one.image_type.name, str(one.result.voxels)]
        units = {entry.tag: entry.unit_of(one.result.image_unit) for entry in one.entries()}
        for tag in shown:
            value = one.result.values.get(tag)
            known = isinstance(value, float | int) and tag in units
            cells.append(f"{language.number(float(value))} {symbol(units[tag], language)}".rstrip() if known else "–")  # type: ignore[arg-type]
        table.add_row(*map(escape, cells))
    console.print()
    console.print(table)
    hint = text("Of so many lesions the features stand in files: --out FILE.csv, .parquet or .json.")
    console.print(f"[dim]{escape(say(hint))}[/]", highlight=False)


def print_remarks(console: Console, language: Language, remarks: Iterable[Remark]) -> None:
    """What became of each parameter of a pyradiomics file."""
    say = language.say
    console.print(
        f"[bold]{escape(say(text('This is a parameter file of pyradiomics; it is taken over as follows.')))}[/]"
    )
    for remark in remarks:
        style, word = FITS[remark.fit]
        given = f" = {remark.given}" if remark.given else ""
        console.print(
            f"  [{style}]{escape(say(word))}[/]  [bold]{escape(remark.name)}[/]{escape(given)}", highlight=False
        )
        if remark.fit is not Fit.SAME or remark.says.facts:
            console.print(Padding(escape(say(remark.says)), (0, 0, 0, 6)), highlight=False)


def print_features(console: Console, language: Language, types: Iterable[ImageType]) -> None:
    """Every feature that can be had: tag, name, identifier, unit."""
    say = language.say
    settings = next(iter(types)).settings
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(say(text("Tag")), no_wrap=True)
    table.add_column(say(text("Feature")), overflow="fold")
    table.add_column("IBSI", no_wrap=True, style="dim")
    table.add_column(say(text("Unit")), no_wrap=True, style="dim")
    for family, group in groupby(all_features(settings), key=lambda entry: entry.feature.family):
        table.add_row()
        table.add_row(
            f"[bold cyan]{family.name.lower()}[/]", f"[bold cyan]{escape(say(FAMILIES[family]))}[/]", family.value
        )
        for entry in group:
            table.add_row(
                f"  {entry.tag}", escape(say(entry.feature.label)), entry.ibsi, escape(_own_unit(entry, language))
            )
    console.print(table)
    console.print(f"\n{escape(say(text('I stands for the unit of the image.')))}", highlight=False)
    aggregations = ", ".join(f"{one.value} ({one.ibsi})" for one in Aggregation)
    told = text("Texture may also be aggregated as: {aggregations}; see --settings.", aggregations=aggregations)
    console.print(escape(say(told)), highlight=False)


def features_as_json(language: Language, types: Iterable[ImageType]) -> list[dict[str, object]]:
    """The same for other programs."""
    entries = all_features(
        RadiomicsSettings(families=next(iter(types)).settings.families, aggregations=tuple(Aggregation))
    )
    return [
        {
            "feature": entry.tag,
            "label": language.say(entry.feature.label),
            "family": entry.feature.family.name.lower(),
            "ibsi": entry.ibsi,
            "unit": entry.feature.unit,
            "intensity_power": entry.feature.intensity_power,
        }
        for entry in entries
    ]


def _own_unit(entry: Entry, language: Language) -> str:
    """The unit with I for that of the image."""
    return symbol(entry.unit_of("{I}"), language).replace("{I}", "I") or "1"


def save_settings(path: Path, content: str) -> None:
    """Write a settings file.

    Raises
    ------
    InputError
        ``engine.cannot-write``.
    """
    from bingcheng.engine.problems import CANNOT_WRITE  # noqa: PLC0415

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise InputError(CANNOT_WRITE, what=str(path), error=type(error).__name__) from error
