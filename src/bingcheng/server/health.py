"""Whether the server works, for whatever watches it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import text as sql
from starlette.responses import JSONResponse, Response

from bingcheng.core.errors import BingchengError
from bingcheng.server.security.required import public
from bingcheng.server.site import Site, site

router = APIRouter()


@router.get("/healthz", dependencies=[public(why="says only whether the database answers")], include_in_schema=False)
def health(where: Annotated[Site, Depends(site)]) -> Response:
    """200 if the database answers, else 503."""
    try:
        with where.workspace.reading() as connection:
            connection.execute(sql("SELECT 1"))
    except BingchengError as error:
        return JSONResponse({"status": "failed", "code": error.code}, 503)
    return JSONResponse({"status": "ok"})
