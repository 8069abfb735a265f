"""Settings of radiomics in files: read in the IBSI's terms or as a pyradiomics parameter file, and written to start."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text, text
from bingcheng.quantify.radiomics.feature import Aggregation, Family
from bingcheng.quantify.radiomics.image_type import ImageType
from bingcheng.quantify.radiomics.pyradiomics import is_parameter_file, mapped
from bingcheng.quantify.radiomics.pyradiomics_remark import Remark
from bingcheng.quantify.radiomics.settings import RadiomicsSettings
from bingcheng.quantify.radiomics.settings_file import from_mapping
from bingcheng.quantify.radiomics.validation import not_allowed

UNREADABLE_SETTINGS = Problem(
    code="engine.radiomics-settings-unreadable",
    says="the settings file can't be read as {format} ({error})",
    remedy="Correct it at that place. `bingcheng radiomics --write-settings FILE` writes one to begin with.",
    owner=Owner.PHYSICIST,
)
UNKNOWN_FORMAT = Problem(
    code="engine.radiomics-settings-format",
    says="'{name}' does not say by its ending in which format it is",
    remedy="Let the name end in .toml, .yaml or .json.",
    owner=Owner.OPERATOR,
)
NO_SETTINGS = Problem(
    code="engine.radiomics-settings-no-group",
    says="the settings file holds no settings, but {found}",
    remedy="Write names and values into it, as `bingcheng radiomics --write-settings FILE` does.",
    owner=Owner.PHYSICIST,
)

LARGEST_BYTES = 1_000_000
AS_IT_IS = "as is"
"""What stands in a TOML file for a direction that is not interpolated: TOML knows no empty value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The settings of a file.

    Parameters
    ----------
    image_types : what to extract, one entry an image.
    label : the value of the mask that the file names; None if it names none.
    remarks : on each parameter of a pyradiomics file; empty for settings in the IBSI's terms.
    """

    image_types: tuple[ImageType, ...]
    label: str | None = None
    remarks: tuple[Remark, ...] = ()


def read_settings(path: Path) -> Given:
    """The settings of a TOML, YAML or JSON file, in the IBSI's terms or as pyradiomics writes them.

    Raises
    ------
    InputError
        ``engine.radiomics-settings-unreadable``, ``engine.radiomics-settings-format``,
        ``engine.radiomics-settings-no-group``; ``quantify.radiomics-setting-unknown``,
        ``quantify.radiomics-setting-not-allowed``, ``quantify.pyradiomics-malformed``,
        ``quantify.pyradiomics-nothing-mapped``, and those of filters.
    """
    return settings_of(content_of(path))


def settings_of(content: Mapping[str, Any]) -> Given:
    """The settings of plain values; see `read_settings`."""
    if is_parameter_file(content):
        found = mapped(content)
        return Given(image_types=found.image_types, label=str(found.label), remarks=found.remarks)
    return Given(image_types=(ImageType.of(from_mapping(_without_words(content))),))


def for_modality(modality: str) -> tuple[ImageType, ...]:
    """What is extracted if nobody says how."""
    return (ImageType.of(RadiomicsSettings.for_modality(modality)),)


def limited(types: tuple[ImageType, ...], families: Sequence[str] | None) -> tuple[ImageType, ...]:
    """The same with the feature families alone that are named; None keeps all.

    Raises
    ------
    InputError
        ``quantify.radiomics-setting-not-allowed``.
    """
    if families is None:
        return types
    named = tuple(word.strip().casefold() for word in families if word.strip())
    asked = RadiomicsSettings(families=named).families  # type: ignore[arg-type]
    if not asked:
        raise not_allowed("families", ", ".join(families), ", ".join(one.name.lower() for one in Family))
    return tuple(replace(one, settings=replace(one.settings, families=asked)) for one in types)


def content_of(path: Path) -> Mapping[str, Any]:
    """What a settings file holds, by its ending: TOML, YAML or JSON; errors as of `read_settings`."""
    ending = path.suffix.lower()
    if ending not in _READERS:
        raise InputError(UNKNOWN_FORMAT, name=path.name)
    name, read = _READERS[ending]
    try:
        raw = path.read_bytes()
        if len(raw) > LARGEST_BYTES:
            raise InputError(UNREADABLE_SETTINGS, format=name, error=f"> {LARGEST_BYTES} bytes")
        content = read(raw.decode("utf-8-sig"))
    except OSError as error:
        raise InputError(UNREADABLE_SETTINGS, format=name, error=error.strerror or type(error).__name__) from error
    except UnicodeDecodeError as error:
        raise InputError(UNREADABLE_SETTINGS, format=name, error="UTF-8") from error
    except (ValueError, RecursionError, _yaml_error()) as error:
        raise InputError(UNREADABLE_SETTINGS, format=name, error=_place(error)) from error
    if not isinstance(content, Mapping) or not content:
        raise InputError(NO_SETTINGS, found=type(content).__name__)
    return content


def _yaml(raw: str) -> Any:
    return import_module("yaml").safe_load(raw)


def _yaml_error() -> type[Exception]:
    found: type[Exception] = import_module("yaml").YAMLError
    return found


def _place(error: Exception) -> str:
    """Where a parser stumbled, in one line."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"{getattr(error, 'problem', '')}: {mark.line + 1}:{mark.column + 1}"
    return " ".join(str(error).split())[:200]


_READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = MappingProxyType(
    {
        ".toml": ("TOML", tomllib.loads),
        ".yaml": ("YAML", _yaml),
        ".yml": ("YAML", _yaml),
        ".json": ("JSON", json.loads),
    }
)


def _without_words(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with an empty value where the file says that a direction stays as it is."""
    found = dict(content)
    part = found.get("interpolation")
    if isinstance(part, Mapping) and isinstance(part.get("spacing_mm"), list):
        found["interpolation"] = {
            **part,
            "spacing_mm": [None if one == AS_IT_IS else one for one in part["spacing_mm"]],
        }
    return found


ABOUT: Mapping[str, Text] = MappingProxyType(
    {
        "interpolation": text(
            'Voxels of this size in mm (z, y, x); "as is" keeps a direction. Without this part: none.'
        ),
        "interpolation.image": text("nearest, linear, cubic convolution or cubic spline"),
        "interpolation.mask": text("nearest or linear"),
        "interpolation.alignment": text("of the new grid: centre, origin or fit"),
        "interpolation.rounding": text("to whole intensities, as CT numbers are"),
        "partial_volume_threshold": text("A voxel belongs to the lesion from this part on."),
        "resegmentation": text("Which intensities count: low, high, outlier_sd; each may be left out."),
        "discretisation": text(
            'Grey levels: method "fixed bin size" (width, lowest), "fixed bin number" (count) or "none".'
        ),
        "volume_histogram": text("The same for the intensity-volume histogram."),
        "filter": text(
            'A filter of the IBSI, e.g. name = "laplacian_of_gaussian", sigma_mm = 3.0. Without this part: none.'
        ),
        "families": text("Feature families."),
        "aggregations": text("How texture becomes one value; in all directions (3D) or by slice (2D, 2_5D)."),
        "distance": text("Distance of neighbours in the co-occurrence matrix."),
        "neighbourhood_distance": text("Distance of neighbours for grey tone difference and grey level dependence."),
        "coarseness": text("Difference of grey levels that still counts as dependent."),
        "precision": text("float32 or float64"),
    }
)
"""What the settings mean, for the file to begin with."""


def template(modality: str, say: Callable[[Text | str], str]) -> str:
    """A settings file in TOML with what is used for a modality, each setting explained.

    Parameters
    ----------
    say : the language of the comments.
    """
    values = RadiomicsSettings.for_modality(modality).as_mapping()
    heading = text("Radiomics settings in the IBSI's terms, to begin with for {modality}.", modality=modality)
    lines = [f"# {say(heading)}", ""]
    groups: list[str] = []
    for name, value in values.items():
        if isinstance(value, dict):
            groups += ["", *_comment(ABOUT[name], say), f"[{name}]", *_inside(name, value, say)]
        elif value is None:
            groups += ["", *_comment(ABOUT[name], say), f"# [{name}]"]
        else:
            lines += [*_comment(ABOUT[name], say), *_choices(name), f"{name} = {_toml(value)}"]
    return "\n".join([*lines, *groups, ""])


def _comment(about: Text, say: Callable[[Text | str], str]) -> list[str]:
    return [f"# {say(about)}"]


def _choices(name: str) -> list[str]:
    if name == "aggregations":
        return [f"# {', '.join(one.value for one in Aggregation)}"]
    return []


def _inside(group: str, values: Mapping[str, object], say: Callable[[Text | str], str]) -> Iterator[str]:
    for name, value in values.items():
        about = ABOUT.get(f"{group}.{name}")
        after = "" if about is None else f"  # {say(about)}"
        # What is left out has no value in TOML: it stands there as a comment, ready to be filled in.
        yield f"# {name} = " if value is None else f"{name} = {_toml(value)}{after}"


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(AS_IT_IS if one is None else one) for one in value) + "]"
    return json.dumps(value)
