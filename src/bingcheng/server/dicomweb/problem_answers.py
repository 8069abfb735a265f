"""What a DICOMweb client is answered when something is wrong (PS3.18 8.5)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from bingcheng.core.errors import BingchengError
from bingcheng.server.dicomweb.plain_calls import plain_handler
from bingcheng.server.security.refusal import refusal

STATUS: Mapping[str, int] = MappingProxyType(
    {
        "archive.not-here": 404,
        "archive.no-such-frame": 404,
        "archive.no-pixel-data": 404,
        "archive.not-acceptable": 406,
        "archive.no-picture": 406,
        "archive.undecodable": 406,
        "archive.no-frame-bounds": 406,
        "archive.slow-body": 408,
        "archive.body-too-large": 413,
        "archive.unsupported-body": 415,
        "server.drawing-elsewhere": 404,
        "server.no-drawing": 409,
        "server.drawing-known": 409,
    }
)
"""The status of each problem that has one of its own here; the application answers all others."""


class DicomWebRoute(APIRoute):
    """A route whose problems are answered with the status that PS3.18 wants."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, called as plainly as it can be, its problems turned into answers."""
        inner = plain_handler(self.dependant) or super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await inner(request)
            except BingchengError as error:
                status = STATUS.get(error.code)
                if status is None:
                    raise
                return refusal(request, error, status)

        return handler


def documented(*kinds: str, **more: str) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of a route's answers: the media types of success, and the usual refusals.

    Parameters
    ----------
    more : further statuses, as ``status_202="words"``.
    """
    said: dict[int | str, dict[str, Any]] = {
        200: {"description": "What was asked for.", "content": {kind: {} for kind in kinds}},
        400: {"description": "The address, a parameter or a header can't be read."},
        401: {"description": "Not signed in."},
        403: {"description": "Not allowed."},
        404: {"description": "There is no such thing, or it may not be seen."},
        406: {"description": "None of the accepted media types can be given."},
    }
    said.update({int(name.removeprefix("status_")): {"description": words} for name, words in more.items()})
    return said
