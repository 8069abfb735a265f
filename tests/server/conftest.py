"""A served workspace with two hospitals and a person of each role, and browsers that are signed in."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI

from bingcheng.archive.authorisation import Role, Scope
from bingcheng.archive.authorisation.role import OF_NO_HOSPITAL
from bingcheng.archive.people.api_token import make_token
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.passwords import Passwords
from bingcheng.archive.people.person import make_person
from bingcheng.archive.people.session import begin_session
from bingcheng.archive.workspace import Workspace
from bingcheng.server.application import application, open_site
from bingcheng.server.security.cookies import csrf_of
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site

with warnings.catch_warnings():
    # Starlette would rather use another HTTP client for its tests; this one does the same.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ADDRESS = "http://127.0.0.1:8080"
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

    def anonymous(self) -> TestClient:
        """A browser in which nobody is signed in."""
        return TestClient(self.application, base_url=ADDRESS, follow_redirects=False, raise_server_exceptions=False)

    def browser(self, who: str) -> TestClient:
        """A browser in which `who` is signed in; it sends the token of its forms as a header."""
        with self.site.workspace.writing() as connection:
            secret = begin_session(connection, self.people[who], now=self.clock())
        client = self.anonymous()
        client.cookies.set("bingcheng", secret, domain="127.0.0.1")
        client.headers["x-csrf-token"] = csrf_of(secret)
        return client

    def program(self, who: str, *scopes: Scope) -> TestClient:
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
        hashed = Passwords().hashed(PASSWORD)
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


_USUAL: list[FastAPI] = []


def _usual(where: Site) -> FastAPI:
    """The application with its own routers and usual settings, made once: that takes longer than most tests."""
    if not _USUAL:
        _USUAL.append(application(where.settings, site=where))
    made = _USUAL[0]
    for held in made.state._state.keys() - {"site", "recorder", "paths"}:
        delattr(made.state, held)  # what rooms kept of the workspace before
    made.state.site = made.state.recorder.site = where
    made.state.recorder._open.clear()
    return made


def serving(folder: Path, routers: Iterable[APIRouter] = (), **settings: object) -> Served:
    """Serve a new workspace in `folder`; close its site at the end."""
    inhabited, north, south, people = _inhabited()
    shutil.copytree(inhabited, folder)
    where = open_site(Settings.model_validate({"workspace": folder, **settings}))
    where.now = clock = Clock()
    made = application(where.settings, site=where, more=routers) if routers or settings else _usual(where)
    return Served(made, where, clock, north, south, dict(people))


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., Served]]:
    """Serves a workspace: ``serve(router, …, setting=value)``."""
    opened: list[Site] = []

    def made(*routers: APIRouter, **settings: object) -> Served:
        served = serving(tmp_path / f"workspace-{len(opened)}", routers, **settings)
        opened.append(served.site)
        return served

    yield made
    for where in opened:
        where.close()


@pytest.fixture
def served(serve) -> Served:
    """The application with its own routers."""
    return serve()
