"""Networks on a MONAI Label server: asked over HTTP, only where a person has allowed pixel data to leave this machine.

The protocol is MONAI Label's: ``GET /info/`` lists the models; ``POST /infer/{model}`` takes the image as a NIfTI file
in a form and answers with a label image. What is sent holds voxels and their place, and no header of a patient.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

from bingcheng.core.errors import InputError, Owner, Problem, RefusedError, RemoteError
from bingcheng.core.wording import text
from bingcheng.image import membership, nifti
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.method import SegmentationMethod
from bingcheng.quantify.lesion.neighbourhood import Mask, Neighbourhood
from bingcheng.quantify.lesion.plugins.model_grid import part_for
from bingcheng.quantify.lesion.prompt import Prompt, PromptKind

PIXELS_STAY = Problem(
    code="quantify.remote-not-allowed",
    says="this method sends the image around the lesion to {host}, and nobody has allowed that",
    remedy="Allow it for this server if your hospital's rules do; or use a method that runs on this machine.",
    owner=Owner.OPERATOR,
)
NOT_SECURE = Problem(
    code="quantify.remote-not-secure",
    says="'{url}' is neither an https address nor this machine, so that anybody on the way could read the image",
    remedy="Give the server's https address.",
    owner=Owner.OPERATOR,
)
NOT_LET_IN = Problem(
    code="quantify.remote-not-let-in",
    says="the server at {host} refuses this program (status {status})",
    remedy="Ask the server's administrator for a token that may run models.",
    owner=Owner.OPERATOR,
)
UNREACHABLE = Problem(
    code="quantify.remote-unreachable",
    says="the server at {host} does not answer",
    remedy="Check that it runs and is reachable, then try again; networks take a minute to load at first.",
    owner=Owner.OPERATOR,
)
SERVER_FAILED = Problem(
    code="quantify.remote-failed",
    says="the server at {host} could not do it (status {status})",
    remedy="Try again in a minute; if it stays so, ask whoever runs the server to look into its log.",
    owner=Owner.OPERATOR,
)
STRANGE_ANSWER = Problem(
    code="quantify.remote-answer",
    says="the server at {host} answers with something that is no {what}",
    remedy="Check that the address is that of a MONAI Label server, then try again.",
    owner=Owner.OPERATOR,
)
NO_SUCH_MODEL = Problem(
    code="quantify.remote-unknown-model",
    says="the server at {host} knows no model '{model}'",
    remedy="Choose one that it lists.",
    owner=Owner.OPERATOR,
)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MOST_BYTES = 1 << 30
"""An answer of more than 1 GiB is no label image of a neighbourhood."""
ORDER = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteServer:
    """A MONAI Label server.

    Parameters
    ----------
    url : https, or http on this machine.
    token : sent as a bearer token; never recorded.
    timeout_s : how long an answer may take.
    """

    url: str
    token: str | None = None
    timeout_s: float = 120.0

    @property
    def host(self) -> str:
        """Name of the machine, with the port if one was given."""
        return urlsplit(self.url).netloc.rsplit("@", 1)[-1]

    def __repr__(self) -> str:
        return f"RemoteServer(url={self.url!r})"  # a token must not reach a log


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteModel:
    """A model that a server offers."""

    name: str
    kind: str
    labels: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """What a remote network's region records.

    Parameters
    ----------
    host, model : where it was drawn, by what.
    may_leave_machine : whether somebody has allowed the image around the lesion to be sent there.
    reach_mm : how much image around the prompt is sent; 0 sends all of it.
    """

    host: str
    model: str
    may_leave_machine: bool = False
    reach_mm: float = 80.0


def remote_models(server: RemoteServer) -> tuple[RemoteModel, ...]:
    """The models that a server offers; no pixel data are sent.

    Raises
    ------
    RefusedError
        ``quantify.remote-not-secure``, ``quantify.remote-not-let-in``.
    RemoteError
        ``quantify.remote-unreachable``, ``quantify.remote-failed``, ``quantify.remote-answer``.
    """
    _, body = _asked(server, "GET", "/info/")
    try:
        models = json.loads(body)["models"]
        return tuple(_model(str(name), told) for name, told in sorted(models.items()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RemoteError(STRANGE_ANSWER, host=server.host, what=text("list of models")) from error


def remote_method(
    server: RemoteServer, model: RemoteModel, *, modality: str, may_leave_machine: bool = False, licence: str = ""
) -> SegmentationMethod:
    """The segmentation method of a server's model.

    Parameters
    ----------
    modality : for which it was trained; servers don't say.
    may_leave_machine : whether somebody has allowed the image around the lesion to be sent there.
    licence : what the server's operator tells about the weights' licence.

    Raises
    ------
    RefusedError
        ``quantify.remote-not-secure``.
    """
    _must_be_secure(server)

    def draw(volume: Volume, prompt: Prompt, settings: RemoteSettings) -> Region:
        return _drawn(server, volume, prompt, settings)

    return SegmentationMethod(
        key=f"remote_{model.name}",
        label=text("{name} on {host} (the image is sent there)", name=model.name, host=server.host),
        modalities=frozenset({modality}),
        prompts=frozenset({PromptKind.CLICK, PromptKind.BOX}),
        source=f"MONAI Label server at {server.host}: {model.description or model.name}",
        good_for=text("What its makers made it for; ask whoever runs the server."),
        fails=text("Images unlike those it was trained on, and networks that need more image than is sent."),
        settings=RemoteSettings,
        function=draw,
        order=ORDER,
        leaves_machine=True,
        licence=licence,
        usual=RemoteSettings(host=server.host, model=model.name, may_leave_machine=may_leave_machine),
    )


def _model(name: str, told: Mapping[str, Any]) -> RemoteModel:
    labels = told.get("labels") or ()
    return RemoteModel(
        name=name,
        kind=str(told.get("type", "")),
        labels=tuple(str(label) for label in labels),
        description=str(told.get("description", "")),
    )


def _drawn(server: RemoteServer, volume: Volume, prompt: Prompt, settings: RemoteSettings) -> Region:
    if not settings.may_leave_machine:
        raise RefusedError(PIXELS_STAY, host=server.host)
    hood = _sent_part(volume, prompt, settings.reach_mm)
    geometry = hood.volume.geometry.box(hood.start, hood.shape)
    parameters = _parameters(prompt, geometry)
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.nii.gz"
        nifti.write_volume(Volume(voxels=hood.values, geometry=geometry, unit=volume.unit), image)
        kind, form = _form(parameters, image.name, image.read_bytes())
        path = f"/infer/{quote(settings.model, safe='')}?image=&output=image"
        name, answer = _asked(server, "POST", path, body=form, content_type=kind, model=settings.model)
        label = Path(folder) / f"label{_suffix(name)}"
        label.write_bytes(answer)
        mask = _mask(label, geometry, server)
    return hood.region(part_for(mask & hood.seen, hood, prompt, settings.model))


def _sent_part(volume: Volume, prompt: Prompt, reach_mm: float) -> Neighbourhood:
    whole = tuple(slice(0, n) for n in volume.geometry.shape)
    if reach_mm <= 0.0:
        return Neighbourhood.of(volume, (whole[0], whole[1], whole[2]))
    index = volume.geometry.to_index(np.asarray(prompt.points_mm))
    size = np.asarray(volume.geometry.shape)
    low = np.clip(np.floor(index.min(axis=0)), 0, size - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)), 0, size - 1).astype(int)
    box = (slice(low[0], high[0] + 1), slice(low[1], high[1] + 1), slice(low[2], high[2] + 1))
    return Neighbourhood.beyond(volume, box, reach_mm)


def _parameters(prompt: Prompt, geometry: VolumeGeometry) -> dict[str, object]:
    """Points as (x, y, z) indices of what is sent; a box by its middle and, for models that take one, its corners."""
    index = np.rint(geometry.to_index(np.asarray(prompt.points_mm)))[:, ::-1]
    points = np.clip(index, 0, np.asarray(geometry.shape)[::-1] - 1).astype(int)
    middle = points if len(points) == 1 else np.rint(points.mean(axis=0, keepdims=True)).astype(int)
    told: dict[str, object] = {
        "foreground": middle.tolist(),
        "background": [],
        "result_extension": ".nii.gz",
        "result_dtype": "uint8",
    }
    if len(points) == 2:
        low, high = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        told["roi"] = [low[0], high[0], low[1], high[1], low[2], high[2]]
    return told


def _form(parameters: Mapping[str, object], name: str, image: bytes) -> tuple[str, bytes]:
    """A form with the parameters and the image (RFC 7578): its content type, and its bytes."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="params"\r\n\r\n{json.dumps(parameters)}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + image + f"\r\n--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def _suffix(name: str) -> str:
    """The kind of image that the server names; NIfTI, which was asked for, if it names none that is known."""
    return next((one for one in (".nii.gz", ".nii", ".nrrd") if name.endswith(one)), ".nii.gz")


def _mask(label: Path, geometry: VolumeGeometry, server: RemoteServer) -> Mask:
    """What the server's label image holds above zero, on the grid that was sent."""
    try:
        found = nifti.read_regions(label, label="lesion")
    except InputError as error:
        raise RemoteError(STRANGE_ANSWER, host=server.host, what=text("label image")) from error
    mask: Mask = np.zeros(geometry.shape, dtype=bool)
    for region in found:
        if region.grid.same_grid(geometry, atol_mm=0.1):
            mask[region.box()] |= region.inside
        else:
            part, start = membership.resampled(region.mask, region.geometry, geometry)
            part, start = membership.clipped(part, start, geometry.shape)
            box = tuple(slice(s, s + n) for s, n in zip(start, part.shape, strict=True))
            mask[box] |= part >= 0.5
    return mask


def _must_be_secure(server: RemoteServer) -> None:
    parts = urlsplit(server.url)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise RefusedError(NOT_SECURE, url=f"{parts.scheme}://{server.host}")


def _asked(
    server: RemoteServer, method: str, path: str, *, body: bytes = b"", content_type: str = "", model: str = ""
) -> tuple[str, bytes]:
    """The file name that the server gives to its answer, and the answer."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - 20 ms that few need

    _must_be_secure(server)
    parts = urlsplit(server.url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(str(parts.hostname), parts.port, timeout=server.timeout_s)
    headers = {"Accept": "*/*", **({"Content-Type": content_type} if content_type else {})}
    if server.token is not None:
        headers["Authorization"] = f"Bearer {server.token}"
    try:
        connection.request(method, parts.path.rstrip("/") + path, body=body or None, headers=headers)
        response = connection.getresponse()
        answer = response.read(MOST_BYTES + 1)
    except (OSError, HTTPException) as error:
        raise RemoteError(UNREACHABLE, host=server.host) from error
    finally:
        connection.close()
    _must_be_well(response.status, server, model)
    if len(answer) > MOST_BYTES:
        raise RemoteError(STRANGE_ANSWER, host=server.host, what=text("label image"))
    return _file_name(response.getheader("Content-Disposition") or ""), answer


def _must_be_well(status: int, server: RemoteServer, model: str) -> None:
    if status in (401, 403):
        raise RefusedError(NOT_LET_IN, host=server.host, status=status)
    if status == 404 and model:
        raise InputError(NO_SUCH_MODEL, host=server.host, model=model)
    if status != 200:
        raise RemoteError(SERVER_FAILED, host=server.host, status=status)


def _file_name(disposition: str) -> str:
    _, _, name = disposition.partition("filename=")
    return name.strip().strip('"')
