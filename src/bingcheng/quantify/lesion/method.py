"""What a segmentation method is: a described function from an image and a prompt to a region.

`@segmenter` only attaches the description; `bingcheng.quantify.lesion.segment` finds it in the catalogue, so that one
new file adds one new method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Protocol, TypeVar

from bingcheng.core.catalogue import attach
from bingcheng.core.wording import Text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.prompt import PromptKind

SUV_UNITS = frozenset({"g/ml", "g/ml{SUVlbm}"})
ALL_UNITS: frozenset[str] = frozenset()


LIMITS = "between"
"""Name under which a parameter's field holds its limits."""


def between(low: float, high: float, usual: float | None = None) -> Any:
    """A parameter with its limits, both allowed; what lies beyond is refused before anything is drawn.

    Parameters
    ----------
    usual : its value where none is given; None if there is no usual one.
    """
    limits = {LIMITS: (low, high)}
    return field(metadata=limits) if usual is None else field(default=usual, metadata=limits)


class Segmenter(Protocol):
    """Draws one lesion: from an image and a prompt of a kind that the method takes, with its settings."""

    def __call__(self, volume: Volume, prompt: Any, settings: Any) -> Region:
        """The lesion on the volume's grid; label and method are filled in by the caller.

        Raises
        ------
        Undefined, InputError
            with what to do, wherever no lesion can be told.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentationMethod:
    """The description of a segmentation method.

    Parameters
    ----------
    key : its name in the catalogue and in every region that it draws.
    label : the name people read.
    modalities : DICOM modalities for which it is meant.
    prompts : what it takes.
    source : where it is published.
    good_for, fails : for people: what it does well, and where it goes wrong.
    settings : frozen dataclass of its parameters; all of them are recorded.
    function : the segmenter.
    revision : raised whenever the same input gives another region.
    units : UCUM codes of the images that it takes; empty for any.
    order : where it stands in lists, lower first.
    recommended : whether it is the one to offer first for its modalities.
    leaves_machine : whether pixel data leave this machine.
    usual : the settings that hold where none are given; None if those are what `settings` makes of nothing.
    licence : of what a plug-in brings along, SPDX identifier and first line, shown before its use; empty for this
        program's own.
    """

    key: str
    label: Text
    modalities: frozenset[str]
    prompts: frozenset[PromptKind]
    source: str
    good_for: Text
    fails: Text
    settings: type
    function: Segmenter
    revision: int = 1
    units: frozenset[str] = ALL_UNITS
    order: int = 100
    recommended: bool = False
    leaves_machine: bool = False
    licence: str = ""
    usual: object | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters."""
        return tuple(one.name for one in fields(self.settings))


F = TypeVar("F", bound=Callable[..., Region])


def segmenter(
    *,
    key: str,
    label: Text,
    modalities: Iterable[str],
    prompts: Iterable[PromptKind],
    source: str,
    good_for: Text,
    fails: Text,
    settings: type,
    revision: int = 1,
    units: Iterable[str] = ALL_UNITS,
    order: int = 100,
    recommended: bool = False,
) -> Callable[[F], F]:
    """Describe a function as a segmentation method; see `SegmentationMethod` for the fields."""

    def describe(function: F) -> F:
        attach(
            function,
            SegmentationMethod(
                key=key,
                label=label,
                modalities=frozenset(modalities),
                prompts=frozenset(prompts),
                source=source,
                good_for=good_for,
                fails=fails,
                settings=settings,
                function=function,
                revision=revision,
                units=frozenset(units),
                order=order,
                recommended=recommended,
            ),
        )
        return function

    return describe


def written_method(method: SegmentationMethod, settings: object) -> str:
    """What a region says about how it was drawn: ``key(parameter=value, ...)/revision``."""
    parameters = ", ".join(f"{name}={_written(value)}" for name, value in recorded(settings).items())
    return f"{method.key}({parameters})/{method.revision}"


def recorded(settings: object) -> Mapping[str, object]:
    """The parameters by name, as JSON values."""
    return asdict(settings) if is_dataclass(settings) and not isinstance(settings, type) else {}


def _written(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))  # what is recorded draws the same again
