"""Whether a study may be seen in the viewer: when it is opened, and as long as somebody works with it.

The images of a study may all be in a browser's memory, where no question about them reaches the server. So the viewer
asks while it is used, and closes what was withdrawn (``scripts/access.js``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.spaces import readable_spaces
from bingcheng.archive.dicomweb.problems import NOT_HERE
from bingcheng.archive.objects.tables import stored_study
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.server.dicomweb.problem_answers import DicomWebRoute
from bingcheng.server.dicomweb.reading import Reading
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site

CLOSED = Problem(
    code="server.images-closed",
    says="these images are not open to you",
    remedy="The case was withdrawn or its time is over, the images were deleted, or they are of another hospital. Ask "
    "who gave you the case, or search for the exam.",
    owner=Owner.RADIOLOGIST,
)
_UID = re.compile(r"[0-9.]{1,64}")

router = APIRouter(include_in_schema=False, route_class=DicomWebRoute)


@router.get("/viewer/exams/{study_uid}/open")
def still_open(request: Request, reader: Reading, study_uid: str) -> Response:
    """Nothing, if the study may be seen now; that is not recorded, because its images were when they were fetched."""
    if not open_to(reader.site, reader.actor, [study_uid]):
        raise InputError(NOT_HERE)
    traced(request).silent = True
    return Response(status_code=204, headers={"cache-control": "no-store"})


def open_to(where: Site, actor: Actor, studies: Sequence[str]) -> list[str]:
    """Those of `studies` (study instance UIDs) that `actor` may see now; words that can't be a UID are none."""
    with where.workspace.reading() as connection:
        found = []
        for uid in filter(_UID.fullmatch, studies):
            spaces = readable_spaces(connection, actor, study_uid=uid, now=where.now())
            held = stored_study.c
            query = select(held.id).where(held.space.in_(spaces), held.study_uid == uid).limit(1)
            if spaces and connection.scalar(query) is not None:
                found.append(uid)
        return found
