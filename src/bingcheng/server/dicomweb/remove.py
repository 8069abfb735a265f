"""Deleting studies, series and instances; PS3.18 has no such transaction, these are the addresses that others use."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.dicomweb.problems import NOT_HERE
from bingcheng.core.errors import InputError
from bingcheng.server.dicomweb.problem_answers import documented
from bingcheng.server.dicomweb.reading import check_uids
from bingcheng.server.dicomweb.routes import router
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

Remover = Annotated[Actor, allowed(Action.DELETE_OBJECTS)]
Here = Annotated[Site, Depends(site)]
_ANSWERS = documented(status_204="It is gone.")


@router.delete("/studies/{study_uid}", responses=_ANSWERS, status_code=204)
def delete_study(request: Request, actor: Remover, site: Here, study_uid: str) -> Response:
    """Delete a study."""
    return _removed(request, actor, site, study_uid)


@router.delete("/studies/{study_uid}/series/{series_uid}", responses=_ANSWERS, status_code=204)
def delete_series(request: Request, actor: Remover, site: Here, study_uid: str, series_uid: str) -> Response:
    """Delete a series."""
    return _removed(request, actor, site, study_uid, series_uid)


@router.delete("/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}", responses=_ANSWERS, status_code=204)
def delete_instance(
    request: Request, actor: Remover, site: Here, study_uid: str, series_uid: str, sop_uid: str
) -> Response:
    """Delete an instance."""
    return _removed(request, actor, site, study_uid, series_uid, sop_uid)


def _removed(
    request: Request,
    actor: Actor,
    site: Site,
    study_uid: str,
    series_uid: str | None = None,
    sop_uid: str | None = None,
) -> Response:
    check_uids(request)
    # Nothing but the own hospital's can be deleted here: a case is withdrawn by its own means.
    count = 0
    if actor.hospital is not None:
        count = site.objects.remove(hospital_space(actor.hospital), study_uid, series_uid, sop_uid)
    if count == 0:
        raise InputError(NOT_HERE)
    traced(request).count = count
    return Response(status_code=204)
