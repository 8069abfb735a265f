"""``/cases/<number>/thumbnail.webp``: the first key image of a case, small, beside the case in lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection, select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases.case import Case, CaseStatus, KeyImage
from bingcheng.archive.objects.tables import stored_instance
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.server.cases.seen import case_to
from bingcheng.server.quicklook.router import held
from bingcheng.server.security.required import allowed
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
SIDE = 192
"""Pixels; twice what it is shown at, for screens with small pixels."""


@router.get("/cases/{case_number}/thumbnail.webp")
def shown(
    request: Request, case_number: int, actor: Annotated[Actor, allowed(Action.READ_CASE)], where: Where
) -> Response:
    """The way to the picture: the quick look draws it, and looks once more who asks."""
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, case_number, Action.READ_CASE, where.now())
    image = _first(known)
    picture = None if image is None else _picture(request, where, known, image)
    if picture is None:
        raise InputError(NO_SUCH_THING)
    return RedirectResponse(picture, 303)


def thumbnails(connection: Connection, cases: Iterable[Case]) -> dict[int, str]:
    """Which of these cases have one, by number, and what it shows. Whoever calls this has made sure that all are seen.

    A picture that lost its object, since it was left out later, is none.
    """
    first = {one.number: image for one in cases if (image := _first(one)) is not None}
    if not first:
        return {}
    table = stored_instance.c
    query = select(table.instance_space, table.sop_uid).where(
        table.instance_space.in_([case_space(number) for number in first]),
        table.sop_uid.in_({one.sop_uid for one in first.values()}),
    )
    stored = {(row.instance_space, row.sop_uid) for row in connection.execute(query)}
    return {number: one.note for number, one in first.items() if (case_space(number), one.sop_uid) in stored}


def _first(known: Case) -> KeyImage | None:
    """The image that stands for a case: none where it would give the answer away, or where nobody sees images."""
    shut = known.written.hidden or known.status is CaseStatus.WITHDRAWN
    return None if shut else next(iter(known.written.key_images), None)


def _picture(request: Request, where: Site, known: Case, image: KeyImage) -> str | None:
    """The address of a key image's picture; of the case's series only that one is read."""
    space = [case_space(known.number)]
    stored = where.objects.instance(space, None, None, image.sop_uid)
    if stored is None:
        return None
    instances = where.objects.instances_of(space, stored.study_uid, stored.series_uid)
    stack = held(request).stacks.by_series(where.objects, instances).get(stored.series_uid)
    index = None if stack is None else stack.index_of((image.sop_uid, image.frame - 1))
    if index is None:
        return None
    return f"/quicklook/{stored.study_uid}/{stored.series_uid}/{index}.webp?side={SIDE}&outline=false&marks=false"
