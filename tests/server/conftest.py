"""A served workspace with two hospitals and a person of each role, and browsers that are signed in."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from tests.archive.people.quick import quick_hashing, quick_passwords
from tests.server.direct import client_of

from bingcheng.archive.authorisation import Role, Scope
from bingcheng.archive.authorisation.role import OF_NO_HOSPITAL
from bingcheng.archive.people.api_token import make_token
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.archive.people.session import begin_session
from bingcheng.archive.workspace import Workspace
from bingcheng.server.application import application, open_site
from bingcheng.server.security.cookies import csrf_of
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site

PASSWORD = "a long enough sentence"  # noqa: S105 - of people who don't exist
NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None, microsecond=0))

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Served:
    """The application, and everybody in it by role; those of the other hospital as ``other-<role>``."""

    application: FastAPI
    site: Site
    clock: Clock
    north: int
    south: int
    people: dict[str, int]

    def anonymous(self) -> httpx.Client:
        """A browser in which nobody is signed in."""
        return client_of(self.application)

    def browser(self, who: str) -> httpx.Client:
        """A browser in which `who` is signed in; it sends the token of its forms as a header."""
        with self.site.workspace.writing() as connection:
            secret = begin_session(connection, self.people[who], now=self.clock())
        client = self.anonymous()
        client.cookies.set("bingcheng", secret, domain="127.0.0.1")
        client.headers["x-csrf-token"] = csrf_of(secret)
        return client

    def close(self) -> None:
        """Give the workspace back; the application may serve another."""
        self.site.close()
        give_back(self.application)

    def program(self, who: str, *scopes: Scope) -> httpx.Client:
        """A program with a token of `who`."""
        with self.site.workspace.writing() as connection:
            secret = make_token(connection, self.people[who], label="test", scopes=scopes, days=1, now=self.clock())
        client = self.anonymous()
        client.headers["authorization"] = f"Bearer {secret}"
        return client


@cache
def _inhabited() -> tuple[Path, int, int, dict[str, int]]:
    """A workspace with the hospitals and their people, made once and copied for each test."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    clock = Clock()
    workspace = Workspace.open(folder)
    with workspace.writing() as connection:
        north = make_hospital(connection, name="North Hospital", code="N", now=clock(), spellings=["North"])
        south = make_hospital(connection, name="South Hospital", code="S", now=clock(), spellings=["South"])
        people: dict[str, int] = {}
        hashed = quick_passwords().hashed(PASSWORD)
        for prefix, hospital in (("", north), ("other-", south)):
            for role in Role:
                outside = role in OF_NO_HOSPITAL
                if outside and prefix:
                    continue
                people[f"{prefix}{role}"] = make_person(
                    connection,
                    login=f"{prefix}{role}",
                    name=f"{prefix}{role}".title(),
                    hospital=None if outside else hospital,
                    roles=[role],
                    now=clock(),
                    password_hash=hashed,
                )
    workspace.close()
    return folder, north, south, people


_IDLE: dict[Hashable, list[FastAPI]] = {}
"""Applications that serve nobody now, by their settings and routers: to make one takes longer than most tests."""


def application_of(where: Site, routers: Iterable[APIRouter] = ()) -> FastAPI:
    """The application on a site: an idle one of the same settings, or a new one."""
    more = tuple(routers)
    settings = where.settings.model_dump(exclude={"workspace"})
    kind = repr(settings), tuple(map(id, more))  # the application keeps its routers, and so their identities, alive
    idle = _IDLE.setdefault(kind, [])
    if not idle:
        made = application(where.settings, site=where, more=more)
        made.state.kind = kind
        return made
    made = idle.pop()
    for held in made.state._state.keys() - {"site", "recorder", "paths", "kind"}:
        delattr(made.state, held)  # what rooms kept of the workspace before
    made.state.site = made.state.recorder.site = where
    made.state.recorder._open.clear()
    return made


def give_back(made: FastAPI) -> None:
    """Let an application of `application_of` serve another site."""
    _IDLE[made.state.kind].append(made)


def serving(folder: Path, routers: Iterable[APIRouter] = (), *, of: Path | None = None, **settings: object) -> Served:
    """Serve a new workspace in `folder`; close it at the end.

    Parameters
    ----------
    of : a workspace that was served and closed, of which this is to be a copy; None for one of hospitals and people.
    """
    inhabited, north, south, people = _inhabited()
    shutil.copytree(of or inhabited, folder)
    with quick_hashing():
        where = open_site(Settings.model_validate({"workspace": folder, **settings}))
    where.now = clock = Clock()
    return Served(application_of(where, routers), where, clock, north, south, dict(people))


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., Served]]:
    """Serves a workspace: ``serve(router, …, of=folder, setting=value)``."""
    opened: list[Served] = []

    def made(*routers: APIRouter, of: Path | None = None, **settings: object) -> Served:
        served = serving(tmp_path / f"workspace-{len(opened)}", routers, of=of, **settings)
        opened.append(served)
        return served

    yield made
    for one in opened:
        one.close()


@pytest.fixture
def served(serve) -> Served:
    """The application with its own routers."""
    return serve()
