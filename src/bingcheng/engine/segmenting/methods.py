"""Which method draws, with which settings: chosen by key or by default, or brought along as a plug-in."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import get_type_hints

from bingcheng.core.errors import CatalogueError, InputError, Owner, Problem, RefusedError
from bingcheng.core.wording import Text, text
from bingcheng.quantify.lesion.lung_nodule import NO_LUNG
from bingcheng.quantify.lesion.method import LIMITS, SegmentationMethod, recorded
from bingcheng.quantify.lesion.prompt import PromptKind
from bingcheng.quantify.lesion.segment import SETTINGS_NEEDED, UNKNOWN_METHOD, installed_methods, methods_for

NO_METHOD = Problem(
    code="engine.segmentation-no-method",
    says="no method of this installation draws on {modality} images from this kind of mark",
    remedy="Mark the lesion by a click, a box or a line as `bingcheng segment --list` says.",
    owner=Owner.OPERATOR,
)
UNFIT_MODALITY = Problem(
    code="engine.segmentation-unfit-modality",
    says="'{key}' is meant for {wanted}, and this image is {modality}",
    remedy="Choose one of {known}.",
    owner=Owner.OPERATOR,
)
NO_SUCH_SETTING = Problem(
    code="engine.segmentation-no-such-setting",
    says="'{key}' has no parameter '{name}' that can be set; it has: {known}",
    remedy="Write --set name=value with one of them.",
    owner=Owner.OPERATOR,
)
SETTING_NOT_UNDERSTOOD = Problem(
    code="engine.segmentation-setting-not-understood",
    says="'{written}' is no value for the parameter '{name}'",
    remedy="Write {wanted}.",
    owner=Owner.OPERATOR,
)
NO_PLUGIN_HERE = Problem(
    code="engine.segmentation-no-plugin",
    says="there is no plug-in at '{path}'",
    remedy="Give a manifest (.toml or .json), the folder of a MONAI bundle, or the address of a MONAI Label server.",
    owner=Owner.OPERATOR,
)
REMOTE_MANIFEST = Problem(
    code="engine.segmentation-remote-manifest",
    says="the plug-in '{name}' runs on a server, and its manifest does not say on which",
    remedy="Give the server's address with --model.",
    owner=Owner.OPERATOR,
)
WHICH_REMOTE_MODEL = Problem(
    code="engine.segmentation-which-remote-model",
    says="the server at {host} offers: {known}",
    remedy="Name one of them with --method.",
    owner=Owner.OPERATOR,
)
TOKEN_UNREADABLE = Problem(
    code="engine.segmentation-token-unreadable",
    says="the file with the server's token can't be read",
    remedy="Give a text file that holds the token alone.",
    owner=Owner.OPERATOR,
)

NOT_ITS_KIND = frozenset({NO_LUNG.code})
"""What a method says of a place that it is not meant for; then, if nobody chose it, the next one is tried."""
RECORD_ONLY = frozenset({"may_leave_machine", "version", "sha256", "host", "model"})
"""Parameters of plug-ins that are recorded, but are decided elsewhere."""
NUMBERS: Mapping[type, Text] = {int: text("a whole number"), float: text("a number"), bool: text("true or false")}
MOST_TIMES_USUAL = 100.0
SIGNED = "_hu"
"""How parameters end that may be negative; all others are sizes, fractions, weights and counts."""
TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
REMOTE = ("http://", "https://")


def candidates(modality: str, kinds: Iterable[PromptKind]) -> tuple[SegmentationMethod, ...]:
    """The methods that draw on images of a modality from all these kinds of marks, the recommended one first.

    Raises
    ------
    InputError
        ``engine.segmentation-no-method``.
    """
    wanted = frozenset(kinds)
    fit = tuple(one for one in methods_for(modality) if wanted <= one.prompts and _runs_without_settings(one))
    if not fit:
        raise InputError(NO_METHOD, modality=modality)
    return fit


def named(key: str) -> SegmentationMethod:
    """The installed method of a key.

    Raises
    ------
    CatalogueError
        ``quantify.unknown-segmentation-method``.
    """
    methods = installed_methods()
    if key not in methods:
        raise CatalogueError(UNKNOWN_METHOD, key=key, known=", ".join(methods.keys()))
    return methods[key]


def fitting(method: SegmentationMethod, modality: str) -> SegmentationMethod:
    """The method, if it is meant for images of this modality.

    Raises
    ------
    InputError
        ``engine.segmentation-unfit-modality``.
    """
    if modality not in method.modalities:
        known = ", ".join(one.key for one in methods_for(modality)) or "--model"
        wanted = ", ".join(sorted(method.modalities))
        raise InputError(UNFIT_MODALITY, key=method.key, wanted=wanted, modality=modality, known=known)
    return method


def settable(method: SegmentationMethod) -> tuple[str, ...]:
    """The parameters of a method that a person may set."""
    kinds = get_type_hints(method.settings)
    return tuple(name for name in method.parameters if name not in RECORD_ONLY and kinds[name] in NUMBERS)


def settings_of(method: SegmentationMethod, written: Sequence[str]) -> object | None:
    """The settings of a method with what a person set, ``name=value`` each; None if nothing was set.

    Raises
    ------
    InputError
        ``engine.segmentation-no-such-setting``, ``engine.segmentation-setting-not-understood``,
        ``quantify.segmentation-settings-needed``.
    """
    if not written:
        return None
    kinds, known = get_type_hints(method.settings), settable(method)
    given: dict[str, object] = {}
    for one in written:
        name, _, value = (part.strip() for part in one.partition("="))
        if name not in known:
            raise InputError(NO_SUCH_SETTING, key=method.key, name=name, known=", ".join(known) or "-")
        given[name] = _sensible(method, name, value, _value(name, value, kinds[name]))
    if method.usual is not None:
        return dataclasses.replace(method.usual, **given)  # type: ignore[type-var]
    needed = [name for name in _without_usual_value(method) if name not in given]
    if needed:
        raise InputError(SETTINGS_NEEDED, key=method.key, names=", ".join(needed))
    made: object = method.settings(**given)
    return made


def _value(name: str, written: str, kind: type) -> object:
    wrong = InputError(SETTING_NOT_UNDERSTOOD, written=written, name=name, wanted=NUMBERS[kind])
    if kind is bool:
        if written.casefold() not in TRUTHS:
            raise wrong
        return TRUTHS[written.casefold()]
    try:
        number: int | float = int(written) if kind is int else float(written)
    except ValueError:
        raise wrong from None
    if not math.isfinite(number):
        raise wrong
    return number


def _sensible(method: SegmentationMethod, name: str, written: str, value: object) -> object:
    """The value, if the method allows it.

    Where a method sets no limits, a value far from the usual one is a slip of the pen, and hours of computing.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    low, high = _limits(method, name)
    if not low <= value <= high:
        wanted = text("a number from {low} to {high}", low=low, high=high)
        raise InputError(SETTING_NOT_UNDERSTOOD, written=written, name=name, wanted=wanted)
    return value


def _limits(method: SegmentationMethod, name: str) -> tuple[float, float]:
    (field,) = (one for one in dataclasses.fields(method.settings) if one.name == name)
    if LIMITS in field.metadata:
        low, high = field.metadata[LIMITS]
        return float(low), float(high)
    usual = usual_values(method).get(name)
    if not isinstance(usual, int | float):
        return -math.inf, math.inf
    most = MOST_TIMES_USUAL * abs(usual)
    return (-most if name.endswith(SIGNED) else 0.0), most


def usual_values(method: SegmentationMethod) -> Mapping[str, object]:
    """The values that hold where none are given, by parameter; those that must be given are left out."""
    if method.usual is not None:
        return recorded(method.usual)
    fields = dataclasses.fields(method.settings)
    return {one.name: one.default for one in fields if one.default is not dataclasses.MISSING}


def _runs_without_settings(method: SegmentationMethod) -> bool:
    return method.usual is not None or not _without_usual_value(method)


def _without_usual_value(method: SegmentationMethod) -> list[str]:
    missing = dataclasses.MISSING
    fields = dataclasses.fields(method.settings)
    return [one.name for one in fields if one.default is missing and one.default_factory is missing]


def is_remote(model: str) -> bool:
    """Whether a plug-in is the address of a server."""
    return model.casefold().startswith(REMOTE)


def plugin(model: str) -> tuple[SegmentationMethod, bool | None]:
    """The method of a plug-in on this machine, and whether its licence allows commercial use (None: not said).

    Parameters
    ----------
    model : path of a manifest, of a folder that holds ``manifest.toml`` or ``manifest.json``, or of a MONAI bundle.

    Raises
    ------
    InputError
        ``engine.segmentation-no-plugin``, ``engine.segmentation-remote-manifest``, and what the plug-ins raise.
    """
    from bingcheng.quantify.lesion.plugins.manifest import model_file, read_manifest  # noqa: PLC0415 - few need it
    from bingcheng.quantify.lesion.plugins.onnx import network_method  # noqa: PLC0415

    path = Path(model)
    if path.is_dir():
        beside = next((file for ending in ("toml", "json") if (file := path / f"manifest.{ending}").is_file()), None)
        if beside is None:
            from bingcheng.quantify.lesion.plugins.monai_bundle import bundle_method  # noqa: PLC0415

            return bundle_method(path), None
        path = beside
    if not path.is_file():
        raise InputError(NO_PLUGIN_HERE, path=model)
    manifest = read_manifest(path)
    if manifest.kind == "remote":
        raise InputError(REMOTE_MANIFEST, name=manifest.name)
    return network_method(manifest, model_file(manifest, path.parent)), manifest.commercial_use


def remote_plugin(
    address: str, *, model: str | None, modality: str, allowed: bool, token: Path | None
) -> SegmentationMethod:
    """The method of a model on a MONAI Label server; nothing is asked of it before it is allowed.

    Parameters
    ----------
    model : its name on the server; may be None if there is one alone.
    allowed : whether the person has allowed pixel data to go there.
    token : file that holds the token with which the server is asked.

    Raises
    ------
    RefusedError
        ``quantify.remote-not-allowed``, ``quantify.remote-not-secure``, ``quantify.remote-not-let-in``.
    RemoteError
        what `remote_models` raises.
    InputError
        ``engine.segmentation-which-remote-model``, ``engine.segmentation-token-unreadable``.
    """
    from bingcheng.quantify.lesion.plugins import remote  # noqa: PLC0415 - few need it

    server = remote.RemoteServer(url=address, token=None if token is None else _read_token(token))
    if not allowed:
        raise RefusedError(remote.PIXELS_STAY, host=server.host)
    offered = remote.remote_models(server)
    asked = [one for one in offered if model in (None, one.name)]
    if len(asked) != 1:
        known = ", ".join(one.name for one in offered) or "-"
        raise InputError(WHICH_REMOTE_MODEL, host=server.host, known=known)
    return remote.remote_method(server, asked[0], modality=modality, may_leave_machine=True)


def _read_token(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(TOKEN_UNREADABLE) from error
