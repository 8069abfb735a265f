"""Networks on a MONAI Label server: asked over HTTP, only where a person has allowed pixel data to leave this machine.

The protocol is MONAI Label's: ``GET /info/`` lists the models; ``POST /infer/{model}`` takes the image as a NIfTI file
in a form and answers with a label image. What is sent holds voxels and their place, and no header of a patient.
"""

from __future__ import annotations

import contextlib
import json
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit

import numpy as np

from bingcheng.core.errors import InputError, Owner, Problem, RefusedError, RemoteError
from bingcheng.core.wording import text
from bingcheng.image import nifti
from bingcheng.image.gantry_tilt import upright_slices
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.method import SegmentationMethod, between
from bingcheng.quantify.lesion.neighbourhood import Neighbourhood
from bingcheng.quantify.lesion.plugins import remote_label
from bingcheng.quantify.lesion.plugins.model_grid import part_for
from bingcheng.quantify.lesion.prompt import Prompt, PromptKind

if TYPE_CHECKING:
    from http.client import HTTPResponse

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
SENT_ELSEWHERE = Problem(
    code="quantify.remote-redirects",
    says="the server at {host} sends this program on to another address, which it does not follow",
    remedy="Give the server's final address, if your hospital trusts it.",
    owner=Owner.OPERATOR,
)
UNFIT_ADDRESS = Problem(
    code="quantify.remote-address",
    says="this is no address of a server, or its token holds characters that no token has",
    remedy="Give an address such as https://server.hospital.example:8000, and the token alone on one line.",
    owner=Owner.OPERATOR,
)
OTHER_SERVER = Problem(
    code="quantify.remote-other-server",
    says="the settings allow the image to be sent to {allowed}, and this method would send it to {host}",
    remedy="Allow it for this server, or choose the method of the other one.",
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
PIECE = 1 << 20
LONGEST_NAME = 200
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
        """Name of the machine, with the port if one was given; never a password that the address holds."""
        return _parts(self).netloc.rsplit("@", 1)[-1]

    def __repr__(self) -> str:
        # Neither a token nor a password in the address must reach a log.
        shown = self.url.rpartition("@")[2].partition("?")[0]
        return f"RemoteServer(url={shown!r})"


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
    reach_mm: float = between(0.0, 1000.0, 80.0)


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
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
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
    if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        raise ValueError("a model's name is one line")  # it is written into every region
    labels = told.get("labels") or ()
    return RemoteModel(
        name=name,
        kind=str(told.get("type", "")),
        labels=tuple(str(label) for label in labels),
        description=str(told.get("description", "")),
    )


def _drawn(server: RemoteServer, volume: Volume, prompt: Prompt, settings: RemoteSettings) -> Region:
    if settings.may_leave_machine is not True:  # a word such as "false" is no permission either
        raise RefusedError(PIXELS_STAY, host=server.host)
    if settings.host != server.host:
        raise RefusedError(OTHER_SERVER, allowed=settings.host, host=server.host)
    hood = _sent_part(volume, prompt, settings.reach_mm)
    geometry = hood.volume.geometry.box(hood.start, hood.shape)
    # Few servers read a tilted CT as a file: its slices are moved over each other, and the answer back.
    sent = upright_slices(Volume(voxels=hood.values, geometry=geometry, unit=volume.unit))
    parameters = _parameters(prompt, sent.geometry)
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.nii.gz"
        nifti.write_volume(sent, image)
        kind, form = _form(parameters, image.name, image.read_bytes())
        path = f"/infer/{quote(settings.model, safe='')}?image=&output=image"
        name, answer = _asked(server, "POST", path, body=form, content_type=kind, model=settings.model)
        label = Path(folder) / f"label{remote_label.suffix(name)}"
        label.write_bytes(answer)
        mask = remote_label.mask_of(label, geometry)
    if mask is None:
        raise RemoteError(STRANGE_ANSWER, host=server.host, what=text("label image"))
    return hood.region(part_for(mask & hood.seen, hood, prompt, settings.model))


def _sent_part(volume: Volume, prompt: Prompt, reach_mm: float) -> Neighbourhood:
    whole = tuple(slice(0, n) for n in volume.geometry.shape)
    if not reach_mm > 0.0:
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


def _parts(server: RemoteServer) -> SplitResult:
    try:
        parts = urlsplit(server.url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        # Not chained: the message of the error holds the address, and that may hold a password.
        raise InputError(UNFIT_ADDRESS) from None
    # What could break out of a header's line, or can't be written into one.
    if any(not said.isascii() or not said.isprintable() or " " in said for said in (parts.path, server.token or "")):
        raise InputError(UNFIT_ADDRESS)
    return parts


def _must_be_secure(server: RemoteServer) -> None:
    parts = _parts(server)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise RefusedError(NOT_SECURE, url=f"{parts.scheme}://{server.host}")


def _asked(
    server: RemoteServer, method: str, path: str, *, body: bytes = b"", content_type: str = "", model: str = ""
) -> tuple[str, bytes]:
    """The file name that the server gives to its answer, and the answer; where it redirects to is never asked."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - 20 ms that few need

    _must_be_secure(server)
    parts = _parts(server)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(str(parts.hostname), parts.port, timeout=server.timeout_s)
    headers = {"Accept": "*/*", **({"Content-Type": content_type} if content_type else {})}
    if server.token is not None:
        headers["Authorization"] = f"Bearer {server.token}"
    # A socket's own timeout starts anew with each byte; a server must not hold this program by a drop a minute.
    ends = time.monotonic() + server.timeout_s
    watch: threading.Timer | None = None
    try:
        connection.connect()
        watch = threading.Timer(max(0.0, ends - time.monotonic()), _hang_up, (connection.sock,))
        watch.daemon = True
        watch.start()
        connection.request(method, parts.path.rstrip("/") + path, body=body or None, headers=headers)
        response = connection.getresponse()
        answer = _read(response)
    except (OSError, HTTPException, UnicodeError) as error:  # the last of a name that is no host's
        raise RemoteError(UNREACHABLE, host=server.host) from error
    finally:
        if watch is not None:
            watch.cancel()
        connection.close()
    _must_be_well(response.status, server, model)
    if len(answer) > MOST_BYTES:
        raise RemoteError(STRANGE_ANSWER, host=server.host, what=text("label image"))
    if response.length or time.monotonic() >= ends:  # less came than the server said it would send
        raise RemoteError(UNREACHABLE, host=server.host)
    return _file_name(response.getheader("Content-Disposition") or ""), answer


def _hang_up(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed meanwhile
        connected.shutdown(socket.SHUT_RDWR)


def _read(response: HTTPResponse) -> bytes:
    """The answer, or a little more than `MOST_BYTES` of it."""
    pieces, size = [], 0
    while size <= MOST_BYTES and (piece := response.read(PIECE)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _must_be_well(status: int, server: RemoteServer, model: str) -> None:
    if status in (401, 403):
        raise RefusedError(NOT_LET_IN, host=server.host, status=status)
    if status in (301, 302, 303, 307, 308):
        raise RemoteError(SENT_ELSEWHERE, host=server.host)
    if status == 404 and model:
        raise InputError(NO_SUCH_MODEL, host=server.host, model=model)
    if status != 200:
        raise RemoteError(SERVER_FAILED, host=server.host, status=status)


def _file_name(disposition: str) -> str:
    _, _, name = disposition.partition("filename=")
    return name.strip().strip('"')
