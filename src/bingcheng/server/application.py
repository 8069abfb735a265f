"""The application: middleware, guards and pages. Which routers it has is listed here, and only here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware

from bingcheng import __version__
from bingcheng.archive.objects.place import storage_of
from bingcheng.archive.workspace import Workspace
from bingcheng.server.methods import Head
from bingcheng.server.route_index import RouteIndex
from bingcheng.server.security.access_log import AccessLog
from bingcheng.server.security.faults import Faults
from bingcheng.server.security.guards import check_guards, guarded_routes
from bingcheng.server.security.headers import SecurityHeaders
from bingcheng.server.security.hosts import KnownHosts
from bingcheng.server.security.recorder import AuditTrail, Recorder
from bingcheng.server.security.refusal import add_refusals
from bingcheng.server.security.size import SizeLimit
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site

ROUTERS = (
    "bingcheng.server.dicomweb.router",  # first, as it is asked most
    "bingcheng.server.pages.start",
    "bingcheng.server.exams.worklist",
    "bingcheng.server.exams.exam",
    "bingcheng.server.exams.patient",
    "bingcheng.server.exams.exports",
    "bingcheng.server.follow_up.pages",
    "bingcheng.server.follow_up.waiting",
    "bingcheng.server.dicom_admin.sending",
    "bingcheng.server.numbers.pages",
    "bingcheng.server.numbers.exports",
    "bingcheng.server.cases.listing",
    "bingcheng.server.cases.reading",
    "bingcheng.server.cases.making",
    "bingcheng.server.cases.pictures",
    "bingcheng.server.cases.one",
    "bingcheng.server.cases.thumbnails",
    "bingcheng.server.cases.giving",
    "bingcheng.server.cases.images",
    "bingcheng.server.cases.talking",
    "bingcheng.server.cases.moderating",
    "bingcheng.server.cases.opinions",
    "bingcheng.server.cases.collections",
    "bingcheng.server.cases.methods",
    "bingcheng.server.cases.exports",
    "bingcheng.server.cases.adopting",
    "bingcheng.server.pages.preferences",
    "bingcheng.server.pages.login",
    "bingcheng.server.security.oidc",
    "bingcheng.server.pages.wizard",
    "bingcheng.server.pages.invitations",
    "bingcheng.server.pages.account",
    "bingcheng.server.pages.tokens",
    "bingcheng.server.pages.emergency",
    "bingcheng.server.pages.admin",
    "bingcheng.server.pages.people",
    "bingcheng.server.pages.hospitals",
    "bingcheng.server.dicom_admin.peers",
    "bingcheng.server.dicom_admin.conflicts",
    "bingcheng.server.dicom_admin.store",
    "bingcheng.server.pages.audit",
    "bingcheng.server.pairing.pages",
    "bingcheng.server.pairing.case_pages",
    "bingcheng.server.pairing.routes",
    "bingcheng.server.api.routes",
    "bingcheng.server.api.reference",
    "bingcheng.server.quicklook.router",
    "bingcheng.server.viewer.access",
    "bingcheng.server.viewer.saving",
    "bingcheng.server.viewer.serving",
    "bingcheng.server.static_files",
    "bingcheng.server.health",
)
"""Modules that hold a `router` each, in the order in which their routes are tried."""
NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""Nothing that happens here is told to anybody else."""


def application(settings: Settings, *, site: Site | None = None, more: Iterable[APIRouter] = ()) -> FastAPI:
    """The application on a workspace.

    Parameters
    ----------
    site : an open installation; otherwise the one of the settings is opened, and closed when the application ends.
    more : routers of tests, beside those of the package.

    Raises
    ------
    CatalogueError
        ``server.unguarded-route``: a route declares neither who is allowed nor that it is public.
    InputError, RemoteError
        what `Workspace.open` raises.
    """
    where = site or open_site(settings)
    recorder = Recorder(where)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(recorder.flush)
        if site is None:
            where.close()

    made = FastAPI(
        title="Bingcheng",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
        middleware=[
            Middleware(AccessLog),
            Middleware(SecurityHeaders, secure=settings.secure),
            Middleware(KnownHosts, settings=settings),
            Middleware(Faults),
            Middleware(AuditTrail, recorder=recorder),
            Middleware(SizeLimit, settings=settings),
            Middleware(Head),
        ],
    )
    made.state.site, made.state.recorder = where, recorder
    add_refusals(made)
    for router in (*(import_module(name).router for name in ROUTERS), *more):
        # Their routes, not the routers: each of those would look for the route once more.
        made.router.routes.extend(router.routes)
    check_guards(made)
    made.router.routes.insert(0, RouteIndex(made.router.routes))
    made.state.paths = frozenset(route.path for route in guarded_routes(made) if "GET" in route.methods)
    return made


def open_site(settings: Settings) -> Site:
    """The installation of the settings: its workspace is made if there is none yet."""
    workspace = Workspace.open(settings.workspace, settings.database_address())
    storage = storage_of(workspace, settings.bucket())
    objects = import_module("bingcheng.archive.objects.objects").Objects.open(workspace, storage)
    return Site(workspace=workspace, settings=settings, objects=objects)
