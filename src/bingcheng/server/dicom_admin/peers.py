"""``/admin/peers``: the devices and archives of a hospital, and those that were turned away."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventType
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.dimse.peers import May, add_peer, change_peer, peers, remove_peer
from bingcheng.archive.people.hospital import hospitals
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.wording import text
from bingcheng.server.background.calling import Calling
from bingcheng.server.dicom_admin.callers import last_heard_of, near, turned_away
from bingcheng.server.dicom_admin.echo_answer import Answer, echoed
from bingcheng.server.dicom_admin.managed import hospital_of, managed_hospitals, managed_peer, managed_peers
from bingcheng.server.dicom_admin.peer_form import PeerForm
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

Manager = Annotated[Actor, allowed(Action.MANAGE_HOSPITAL)]
Where = Annotated[Site, Depends(site)]
Filled = Annotated[PeerForm, Form()]
ECHO_PATIENCE_S = 5.0
MAY_WORDS = (
    (May.STORE.value, text("Store"), text("sends exams here (C-STORE)")),
    (May.QUERY.value, text("Query"), text("searches what this hospital has here (C-FIND)")),
    (May.RETRIEVE.value, text("Retrieve"), text("fetches what this hospital has here (C-MOVE, C-GET)")),
    (May.COMMIT.value, text("Storage commitment"), text("asks whether what it sent is safely kept")),
)
ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound


@router.get("/admin/peers")
def all_peers(request: Request, actor: Manager, where: Where, ae_title: str = "", network: str = "") -> Response:
    """The list; a caller that was turned away stands in the form if the address says so."""
    scanner = PeerForm(ae_title=ae_title[:64], networks=network[:64], may=[May.STORE.value, May.COMMIT.value])
    return _list(request, actor, where, scanner)


@router.post("/admin/peers")
def add(request: Request, actor: Manager, where: Where, form: Filled) -> Response:
    """Add a peer."""
    try:
        with where.workspace.writing() as connection:
            homes = [one.number for one in managed_hospitals(connection, actor)]
            made = add_peer(connection, form.peer(homes))
    except InputError as error:
        return _list(request, actor, where, form, problem=told(error))
    _tell(request, made.number, hospital_of(made.space), EventAction.CREATE)
    return RedirectResponse(f"/admin/peers/{made.number}", 303)


@router.get("/admin/peers/{dicom_peer}")
def one_peer(request: Request, dicom_peer: int, actor: Manager, where: Where) -> Response:
    """One peer."""
    return _peer_page(request, actor, where, dicom_peer)


@router.post("/admin/peers/{dicom_peer}")
def change(request: Request, dicom_peer: int, actor: Manager, where: Where, form: Filled) -> Response:
    """Change a peer; it stays its hospital's."""
    try:
        with where.workspace.writing() as connection:
            known = managed_peer(connection, actor, dicom_peer)
            change_peer(connection, form.peer([hospital_of(known.space)], dicom_peer))
    except InputError as error:
        return _peer_page(request, actor, where, dicom_peer, form=form, problem=told(error))
    _tell(request, dicom_peer, hospital_of(known.space), EventAction.UPDATE)
    return RedirectResponse("/admin/peers", 303)


@router.post("/admin/peers/{dicom_peer}/remove")
def remove(request: Request, dicom_peer: int, actor: Manager, where: Where) -> Response:
    """Forget a peer; what it sent stays."""
    with where.workspace.writing() as connection:
        known = managed_peer(connection, actor, dicom_peer)
        remove_peer(connection, dicom_peer)
    _tell(request, dicom_peer, hospital_of(known.space), EventAction.DELETE)
    return RedirectResponse("/admin/peers", 303)


@router.post("/admin/peers/{dicom_peer}/echo")
def test(request: Request, dicom_peer: int, actor: Manager, where: Where) -> Response:
    """Call the peer, and say what came of it."""
    with where.workspace.reading() as connection:
        known = managed_peer(connection, actor, dicom_peer)
    try:
        answer = echoed(Calling.from_settings(where.settings).caller(patience_s=ECHO_PATIENCE_S), known)
    except BingchengError as error:  # our own certificate can't be used
        says, remedy = told(error)
        answer = Answer(says=says, remedy=remedy)
    _tell(request, dicom_peer, hospital_of(known.space), EventAction.EXECUTE)
    return _peer_page(request, actor, where, dicom_peer, answer=answer)


def _tell(request: Request, number: int, hospital: int, action: EventAction) -> None:
    trace = traced(request)
    trace.hospital, trace.subject = hospital, f"peer/{number}"
    trace.type_code, trace.event_action = EventType.NETWORK_CONFIGURATION, action


def _list(request: Request, actor: Actor, where: Site, form: PeerForm, *, problem: Told | None = None) -> Response:
    now = where.now()
    with where.workspace.reading() as connection:
        homes = managed_hospitals(connection, actor)
        found = managed_peers(connection, actor)
        heard_of = last_heard_of(connection, found, now)
        refused = turned_away(connection, peers(connection), now)
        alone = len(homes) == len(hospitals(connection))
    return page(
        request,
        "dicom/peers.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        peers=found,
        heard_of=heard_of,
        refused=refused if alone else near(refused, found),
        all_shown=alone,
        form=form,
        problem=problem,
        **_shared(request, where, {one.number: one.name for one in homes}),
    )


def _peer_page(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    *,
    form: PeerForm | None = None,
    problem: Told | None = None,
    answer: Answer | None = None,
) -> Response:
    with where.workspace.reading() as connection:
        known = managed_peer(connection, actor, number)
        heard_of = last_heard_of(connection, [known], where.now()).get(number)
        names = {one.number: one.name for one in managed_hospitals(connection, actor)}
    return page(
        request,
        "dicom/peer.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        peer=known,
        last=heard_of,
        form=form or PeerForm.of(known),
        problem=problem,
        answer=answer,
        **_shared(request, where, {hospital_of(known.space): names[hospital_of(known.space)]}),
    )


def _shared(request: Request, where: Site, homes: dict[int, str]) -> dict[str, Any]:
    settings = where.settings
    return {
        "homes": homes,
        "hospital_of": hospital_of,
        "may_words": MAY_WORDS,
        "our_host": (request.url.hostname or "") if settings.dicom_host in ANYWHERE else settings.dicom_host,
        "only_here": _loopback(settings.dicom_host),
    }


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
