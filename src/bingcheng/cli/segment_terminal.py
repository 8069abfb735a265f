"""What a person reads of outlines in the terminal: size, activity, how they were drawn, what to check by eye."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bingcheng.core.errors import Undefined
from bingcheng.core.wording import Text, text
from bingcheng.engine.segmenting.files import DICOM, NIFTI, RECORD
from bingcheng.engine.segmenting.images import OpenedImage
from bingcheng.engine.segmenting.lesions import Drawn, Outline, Value
from bingcheng.engine.segmenting.methods import candidates, settable, usual_values
from bingcheng.outputs.language import Language
from bingcheng.quantify.lesion.method import SegmentationMethod
from bingcheng.quantify.lesion.prompt import PromptKind
from bingcheng.quantify.lesion.segment import installed_methods, methods_for

MARKS: Mapping[PromptKind, Text] = MappingProxyType(
    {
        PromptKind.CLICK: text("a click (--at)"),
        PromptKind.BOX: text("a box (--box)"),
        PromptKind.RECIST_LINE: text("its longest diameter (--line)"),
    }
)
MOST_OTHERS = 6


def print_answer(
    language: Language,
    image: OpenedImage,
    found: Drawn,
    *,
    files: Sequence[Path],
    captions: Sequence[Text],
    chosen: str | None,
) -> None:
    """The outlines with their numbers, what could not be drawn, and where the files are.

    Parameters
    ----------
    captions : what the rows of the picture show.
    chosen : the method that the person named; None where the program chose it.
    """
    console, say = Console(), language.say
    for remark in image.remarks:
        console.print(f"[yellow]{escape(say(remark))}[/]", highlight=False)
    for one in found.outlines:
        _print_outline(console, language, image, one)
    if chosen is None and found.outlines:
        _print_choice(console, language, image, found.outlines)
    if found.refusals:
        from bingcheng.cli.terminal import LEFT_OUT, print_refusals  # noqa: PLC0415 - heavy, and seldom needed

        heading = LEFT_OUT if found.outlines else text("Nothing could be outlined:")
        print_refusals(Console(stderr=True), language, found.refusals, heading=heading)
    _print_files(console, language, found, files, captions)


def _print_outline(console: Console, language: Language, image: OpenedImage, one: Outline) -> None:
    say = language.say
    console.print()
    name = f"{one.region.label} · {image.name} · {image.modality}"
    console.print(f"[bold]{escape(name)}[/]", highlight=False)
    if one.untouched:
        console.print(f"[dim]{escape(say(text('as it came with the mask')))}[/]", highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for value in one.values:
        label = f"{say(value.label)} {_aside(one, value, language)}".rstrip()
        table.add_row(escape(label), escape(_shown(value, language)))
    console.print(table)
    _print_method(console, language, one)
    if one.checks:
        console.print(f"  [yellow]{escape(say(text('Look at the outline before you use a number:')))}[/]")
        for check in one.checks:
            console.print(Padding(f"→ {escape(say(check))}", (0, 0, 0, 4)), highlight=False)


def _aside(one: Outline, value: Value, language: Language) -> str:
    """That a volume is the sum of fractions of voxels, where it is."""
    if value.key == "volume" and one.region.mask.dtype != bool:
        return language.say(text("(with parts of voxels)"))
    return ""


def _shown(value: Value, language: Language) -> str:
    if isinstance(value.value, Undefined):
        return language.say(text("no value: {reason}", reason=value.value.reason))
    return language.quantity(value.value, value.unit)


def _print_method(console: Console, language: Language, one: Outline) -> None:
    say = language.say
    if one.instead is not None:
        console.print(Padding(escape(say(one.instead)), (0, 0, 0, 2)), highlight=False)
    if one.method is not None:
        console.print(f"  {escape(say(text('Drawn by: {label}', label=one.method.label)))}", highlight=False)
        source = say(text("Source: {source}", source=one.method.source))
        console.print(Padding(f"[dim]{escape(source)}[/]", (0, 0, 0, 2)), highlight=False)
    recorded_as = say(text("Recorded as: {method}", method=one.region.method))
    console.print(Padding(f"[dim]{escape(recorded_as)}[/]", (0, 0, 0, 2)), highlight=False)
    for step in one.corrections:
        parameters = step["parameters"]
        told = ", ".join(f"{k}={_plain(v)}" for k, v in parameters.items()) if isinstance(parameters, dict) else ""
        console.print(Padding(escape(f"+ {step['action']}({told})"), (0, 0, 0, 4)), highlight=False)


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(_plain(part) for part in value) + ")"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _print_choice(console: Console, language: Language, image: OpenedImage, outlines: Sequence[Outline]) -> None:
    """That the program chose the method, and what else could draw."""
    used = [one.method for one in outlines if one.method is not None]
    kinds = [one.prompt.kind for one in outlines if one.prompt is not None]
    if not used:
        return
    others = [one.key for one in candidates(image.modality, kinds) if one not in used]
    told = text("The program chose the method for this {modality}; --method names another.", modality=image.modality)
    console.print()
    console.print(f"[dim]{escape(language.say(told))}[/]", highlight=False)
    if others:
        also = text("Others that start from such a mark: {keys}.", keys=", ".join(others[:MOST_OTHERS]))
        console.print(f"[dim]{escape(language.say(also))}[/]", highlight=False)


def _print_files(
    console: Console, language: Language, found: Drawn, files: Sequence[Path], captions: Sequence[Text]
) -> None:
    say = language.say
    for path in files:
        console.print(f"{say(text('Written'))}: {escape(str(path))}", highlight=False, soft_wrap=True)
    for caption in captions:
        console.print(Padding(f"[dim]{escape(say(caption))}[/]", (0, 0, 0, 2)), highlight=False)
    names = [path.name.lower() for path in files]
    fractions = any(one.region.mask.dtype != bool for one in found.outlines)
    if fractions and (any(name.endswith(DICOM) for name in names) or _is_label_map(found, names)):
        told = text(
            "The file holds whole voxels, those that belong at least half; a .nii.gz of one lesion keeps the parts."
        )
        console.print(f"[yellow]{escape(say(told))}[/]", highlight=False)
    if found.outlines and any(name.endswith((*NIFTI, DICOM)) for name in names):
        if not any(name.endswith(RECORD) for name in names):
            told = text("With --out FILE.json the method with all its parameters is kept too.")
            console.print(f"[dim]{escape(say(told))}[/]", highlight=False)
    elif found.outlines and not files:
        told = text("Nothing was written; --out FILE.dcm or FILE.nii.gz keeps the outline, --picture shows it.")
        console.print(f"[dim]{escape(say(told))}[/]", highlight=False)


def _is_label_map(found: Drawn, names: Iterable[str]) -> bool:
    return len(found.outlines) > 1 and any(name.endswith(NIFTI) for name in names)


def print_licence(language: Language, method: SegmentationMethod, commercial: bool | None) -> None:
    """Under which licence a plug-in's weights are; on the error stream, before they are used."""
    console, say = Console(stderr=True), language.say
    told = text("The plug-in '{key}' is under this licence: {licence}", key=method.key, licence=method.licence or "-")
    console.print(f"[bold]{escape(say(told))}[/]", highlight=False)
    if not commercial:
        warning = (
            text("Its licence forbids commercial use.")
            if commercial is False
            else text("Whether commercial use is allowed is not said: ask its makers.")
        )
        console.print(f"[yellow]{escape(say(warning))}[/]", highlight=False)


def print_leaving(language: Language, address: str) -> None:
    """That pixel data leave this machine; on the error stream, before they do."""
    console, say = Console(stderr=True), language.say
    host = urlsplit(address).netloc.rpartition("@")[2]
    warning = text(
        "The image around the lesion leaves this machine and goes to {host}, without the patient's name.", host=host
    )
    console.print(f"[bold yellow]{escape(say(warning))}[/]", highlight=False)
    told = text("Under which licence the server's networks are, it does not say: ask whoever runs it.")
    console.print(f"[yellow]{escape(say(told))}[/]", highlight=False)


def _listed(modality: str | None) -> list[SegmentationMethod]:
    if modality is not None:
        return list(methods_for(modality))
    return sorted(installed_methods(), key=lambda one: (-len(one.modalities), *sorted(one.modalities), one.order))


def print_methods(language: Language, modality: str | None) -> None:
    """Every method: for what, from which mark, how good, where it fails, parameters, source."""
    console, say = Console(), language.say
    for one in _listed(modality):
        console.print()
        star = f"  [green]{escape(say(text('recommended')))}[/]" if one.recommended else ""
        heading = f"[bold cyan]{escape(one.key)}[/]  {escape(say(one.label))}"
        console.print(f"{heading}  [dim]{' '.join(sorted(one.modalities))}[/]{star}", highlight=False)
        lines = [
            text("From: {marks}", marks=_joined([MARKS[kind] for kind in sorted(one.prompts)])),
            text("Good for: {good}", good=one.good_for),
            text("Goes wrong: {fails}", fails=one.fails),
            text("Parameters: {parameters}", parameters=_parameters(one) or "–"),
        ]
        if one.licence:
            lines.append(text("Licence: {licence}", licence=one.licence))
        for line in lines:
            console.print(Padding(escape(say(line)), (0, 0, 0, 4)), highlight=False)
        source = say(text("Source: {source}", source=one.source))
        console.print(Padding(f"[dim]{escape(source)}[/]", (0, 0, 0, 4)), highlight=False)


def _joined(parts: Sequence[Text]) -> Text:
    joined = parts[0]
    for part in parts[1:]:
        joined = text("{first}, {next}", first=joined, next=part)
    return joined


def _parameters(method: SegmentationMethod) -> str:
    usual = usual_values(method)
    return ", ".join(f"{name}={_plain(usual[name])}" if name in usual else f"{name}=?" for name in settable(method))


def methods_as_json(language: Language, modality: str | None) -> list[dict[str, object]]:
    """The same for other programs."""
    say = language.say
    return [
        {
            "key": one.key,
            "label": say(one.label),
            "modalities": sorted(one.modalities),
            "prompts": sorted(kind.value for kind in one.prompts),
            "recommended": one.recommended,
            "good_for": say(one.good_for),
            "fails": say(one.fails),
            "parameters": {name: usual_values(one).get(name) for name in settable(one)},
            "units": sorted(one.units),
            "source": one.source,
            "revision": one.revision,
            "licence": one.licence or None,
        }
        for one in _listed(modality)
    ]
