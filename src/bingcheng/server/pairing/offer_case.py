"""A published case given to paired installations, and withdrawn from them; for the pages of cases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.query import Query
from bingcheng.archive.pairing import offering
from bingcheng.archive.pairing.case_room import CaseRoom
from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.offering import manifest_of
from bingcheng.server.site import Site


def offer_case(
    where: Site, room: CaseRoom, case: int, to: Iterable[int], *, push: bool, by: int | None = None
) -> tuple[int, ...]:
    """Offer a case to peers, and send it if `push`; returns the numbers of the transfers.

    Whoever calls this has checked that the person may grant the case (`Action.GRANT_CASE`).

    Parameters
    ----------
    by : number of the person who gives it, who may stop the transfers too.

    Raises
    ------
    InputError
        ``archive.not-whitelisted``, ``archive.withdrawn-case``, ``archive.other-content``, ``archive.not-found``.
    RefusedError
        ``archive.not-paired``.
    """
    key = InstallationKey.of(where.workspace.folder)
    days = where.settings.pairing_offer_days
    until = where.now() + timedelta(days=days) if days else None
    with where.workspace.reading() as connection:
        bundle = room.export_case(connection, case)
    instances = bundle.instances if bundle.instances is not None else everything(where.objects, bundle.space)
    manifest = manifest_of(bundle, instances, key.identifier)
    with where.workspace.writing() as connection:
        return tuple(
            offering.offer(connection, key, peer, manifest, case, where.now(), push=push, until=until, by=by)
            for peer in to
        )


def withdraw_case(where: Site, case: int) -> int:
    """Withdraw a case from all installations that may have it; returns how many are told."""
    with where.workspace.writing() as connection:
        return offering.withdraw(connection, case, where.now())


def everything(objects: Objects, space: str) -> tuple[Instance, ...]:
    """All objects of a space."""
    studies = objects.studies(Query(), [space])
    return tuple(one for study in studies for one in objects.instances_of([space], study.study_uid))
