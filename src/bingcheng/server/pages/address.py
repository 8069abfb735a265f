"""The address by which people reach this server, for links that are handed on."""

from __future__ import annotations

from starlette.requests import Request

from bingcheng.server.site import site_of


def public_address(request: Request) -> str:
    """The address without a slash at its end: the setting's, else the one that this request was sent to."""
    return site_of(request).settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
