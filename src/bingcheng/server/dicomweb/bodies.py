"""Answers as bytes: whole while small, streamed beyond, validated by their ETag."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from bingcheng.archive.dicomweb.answers import JsonObject
from bingcheng.archive.dicomweb.media_types import DICOM_JSON, DICOM_XML, JSON, MediaType, Offer, chosen
from bingcheng.archive.dicomweb.multipart import Part, content_type_of, length_of, new_boundary, written
from bingcheng.archive.dicomweb.xml import native_model

AT_ONCE = 4 << 20
"""Bytes of an answer that is sent as one."""
PIECE = 1 << 19
"""Bytes of a piece of a longer one."""
WORTH_GZIP = 1024
_NOT_AT_ALL = re.compile(r"q=0(\.0*)?")

DATASETS = (Offer(kind=DICOM_JSON), Offer(kind=JSON), Offer(kind=DICOM_XML, multipart=True))
"""How datasets without pixels are given (PS3.18 table 8.7.3-3)."""
ANSWERS = frozenset((DICOM_JSON, JSON, DICOM_XML))
"""How one is given that tells what became of what was sent."""
_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)

PRIVATE: Mapping[str, str] = {
    "Cache-Control": "private, no-cache",
    "Vary": "Accept, Accept-Encoding, Authorization, Cookie",
}
"""A copy may be kept by the one who asked, who asks again whether it still may be seen and still holds."""


def datasets(ranges: Sequence[MediaType], found: Sequence[str], headers: Mapping[str, str]) -> Response:
    """Datasets, given as JSON texts, as the client wants them; none is an empty array, or 204 where parts are wanted.

    A search without matches is a success with an empty list (PS3.18 table 10.6.3-1); a multipart message can't be
    empty (RFC 2046 5.1.1).

    Raises
    ------
    RefusedError
        ``archive.not-acceptable``.
    """
    offer = chosen(ranges, DATASETS)
    told = {**headers, "Cache-Control": "no-store", "Vary": PRIVATE["Vary"]}
    if not offer.multipart:
        text = f"[{','.join(found)}]"
        return Response(text.encode("utf-8", "replace"), media_type=offer.kind, headers=told)
    if not found:
        return Response(status_code=204, headers=told)
    return multipart(DICOM_XML, [part_of(native_model(json.loads(one)), DICOM_XML) for one in found], headers=told)


def part_of(content: bytes, kind: str, location: str | None = None) -> Part:
    """A part whose bytes are there already (PS3.18 table 8.6.1-1 wants its length told)."""
    return Part(content_type=kind, pieces=(content,), length=len(content), location=location)


def warned(root: str, warnings: Sequence[str]) -> dict[str, str]:
    """The field that says what of a request was not done as it was asked (PS3.18 8.3; RFC 7234 5.5)."""
    return {"Warning": ", ".join(f'299 {root} "{one}"' for one in warnings)} if warnings else {}


def as_json(found: object) -> bytes:
    """DICOM JSON text."""
    return _WRITER.encode(found).encode("utf-8", "replace")


def dataset(ranges: Sequence[MediaType], found: JsonObject, status: int) -> Response:
    """One dataset as the answer to a request that was sent to us; JSON where the client accepts neither form."""
    # RFC 9110 12.5.1: an answer in a form that is not accepted is better than to hide what became of the objects.
    kind = next((one.kind for one in ranges if one.kind in ANSWERS and one.quality > 0), DICOM_JSON)
    body = native_model(found) if kind == DICOM_XML else as_json(found)
    return Response(body, status_code=status, headers={"Content-Type": kind, "Cache-Control": "no-store"})


def multipart(kind: str, parts: Sequence[Part], *, headers: Mapping[str, str]) -> Response:
    """A multipart message."""
    boundary = new_boundary()
    return body(
        written(parts, boundary), content_type_of(kind, boundary), length=length_of(parts, boundary), headers=headers
    )


def body(
    pieces: Iterable[bytes],
    content_type: str,
    *,
    headers: Mapping[str, str],
    length: int | None = None,
    squeezed: bool = False,
) -> Response:
    """An answer of pieces that are made while it is sent, if it is long.

    Parameters
    ----------
    length : of all pieces together, if that is known.
    squeezed : whether a long answer is compressed while it is sent; a short one is left to `gzipped`.
    """
    coming = iter(pieces)
    begun: list[bytes] = []
    size = 0
    for piece in coming:
        begun.append(piece)
        size += len(piece)
        if size > AT_ONCE:
            break
    else:
        return Response(b"".join(begun), headers={**headers, "Content-Type": content_type})
    told = {**headers, "Content-Type": content_type}
    sent: Iterable[bytes] = chain(begun, coming)
    if squeezed:
        told["Content-Encoding"] = "gzip"
        sent = zipped(sent)
    elif length is not None:
        told["Content-Length"] = str(length)
    return StreamingResponse(gathered(sent), headers=told)


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at least `PIECE`, so that few are handed over between threads."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def gzipped(request: Request, response: Response) -> Response:
    """The answer compressed, if the client takes that and it is of use."""
    if isinstance(response, StreamingResponse) or len(response.body) < WORTH_GZIP or not takes_gzip(request):
        return response
    squeezer = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
    response.body = squeezer.compress(response.body) + squeezer.flush()
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
    return response


def zipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes as gzip makes them, while they come."""
    squeezer = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
    for piece in pieces:
        made = squeezer.compress(piece)
        if made:
            yield made
    yield squeezer.flush()


def takes_gzip(request: Request) -> bool:
    """Whether the client accepts answers that gzip compressed (RFC 9110 12.5.3)."""
    said: dict[str, bool] = {}
    for one in ",".join(request.headers.getlist("accept-encoding")).lower().split(","):
        name, _, rest = one.partition(";")
        said.setdefault(name.strip(), _NOT_AT_ALL.fullmatch(rest.replace(" ", "")) is None)
    # What is named goes before what the asterisk stands for.
    return said.get("gzip", said.get("x-gzip", said.get("*", False)))


def etag(*parts: object, weak: bool = False) -> str:
    """A validator of what `parts` tell apart (RFC 9110 8.8.3).

    Parameters
    ----------
    weak : of an answer whose bytes differ from one time to another though it says the same: with another boundary
        between its parts, or compressed.
    """
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "replace"))
    return f'{"W/" if weak else ""}"{digest.hexdigest()[:32]}"'


def by_conditions(request: Request, tag: str) -> Response | None:
    """What the conditions of a request come to, where that is not the answer itself (RFC 9110 13.2.2).

    304 if the client has what `tag` stands for; 412 if it asks for something else than that.
    """
    headers = {**PRIVATE, "ETag": tag}
    wanted = _tags(request, "if-match")
    if wanted and not ("*" in wanted or (tag in wanted and not tag.startswith("W/"))):
        return Response(status_code=412, headers=headers)
    held = {one.removeprefix("W/") for one in _tags(request, "if-none-match")}
    return Response(status_code=304, headers=headers) if held & {"*", tag.removeprefix("W/")} else None


def _tags(request: Request, name: str) -> frozenset[str]:
    """The validators of a condition; none if it is not asked."""
    return frozenset(one.strip() for field in request.headers.getlist(name) for one in field.split(","))


def validated(tag: str, **more: Any) -> dict[str, str]:
    """Headers of an answer that may be kept and validated."""
    return {**PRIVATE, "ETag": tag, **more}
