"""The description of the programming interface: OpenAPI for programs, a page of our own for people.

FastAPI's page loads its script from a public host; a hospital's network may know none, and nothing here calls out.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from bingcheng.server.pages.page import page
from bingcheng.server.security.required import public

router = APIRouter(prefix="/api", include_in_schema=False)

WHY = "describes the interface; holds no data"


@router.get("/openapi.json", dependencies=[public(why=WHY)])
def description(request: Request) -> Response:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi(), headers={"cache-control": "no-cache"})


@router.get("/docs", dependencies=[public(why=WHY)])
def reference(request: Request) -> Response:
    """The same for people."""
    described: dict[str, Any] = request.app.openapi()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in described.get("paths", {}).items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            groups.setdefault(tag, []).append({"path": path, "method": method.upper(), **operation})
    return page(request, "reference.html.jinja", groups=groups)
