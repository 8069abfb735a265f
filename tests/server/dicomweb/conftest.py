"""A served workspace with DICOMweb, and objects of two hospitals in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from benchmarks.exchange_objects import file_of, image
from tests.archive.people.quick import quick_hashing
from tests.server.conftest import application_of, give_back
from tests.server.direct import client_of

from bingcheng.archive.authorisation import Role, Scope
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.api_token import make_token
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.archive.people.session import begin_session
from bingcheng.server.application import open_site
from bingcheng.server.security.cookies import csrf_of
from bingcheng.server.settings import Settings

MINE, THEIRS = "mine", "theirs"


@dataclass
class Web:
    """DICOMweb as people of the hospital in the north use it.

    Parameters
    ----------
    client : of a radiologist in the north.
    """

    application: Any
    site: Any
    hospitals: dict[str, int]
    people: dict[str, int]
    client: Any = None

    def browser(self, who: str | None) -> Any:
        """A browser in which `who` is signed in, e.g. ``north radiologist``; nobody if None."""
        client = client_of(self.application, follow_redirects=True)
        if who is not None:
            with self.site.workspace.writing() as connection:
                secret = begin_session(connection, self.people[who], now=self.site.now())
            client.cookies.set("bingcheng", secret)
            client.headers["x-csrf-token"] = csrf_of(secret)
        return client

    def program(self, who: str, *scopes: Scope) -> Any:
        """A program with a token of `who`."""
        with self.site.workspace.writing() as connection:
            secret = make_token(connection, self.people[who], label="x", scopes=scopes, days=1, now=self.site.now())
        client = self.browser(None)
        client.headers["authorization"] = f"Bearer {secret}"
        return client

    def put(self, file: bytes, hospital: str = "north") -> Any:
        """Store a file for a hospital."""
        space = f"hospital/{self.hospitals[hospital]}"
        return self.site.objects.receive(file, space=space, origin=Origin(kind="import", peer="test"))

    def get(self, path: str, accept: str | None = None, **more: Any) -> Any:
        """The answer to a GET below the root."""
        headers = {**more.pop("headers", {}), **({} if accept is None else {"accept": accept})}
        return self.client.get(f"/dicomweb{path}", headers=headers, **more)

    def post(self, path: str, body: Any, kind: str, **more: Any) -> Any:
        """The answer to a POST below the root."""
        headers = {**more.pop("headers", {}), "content-type": kind}
        return self.client.post(f"/dicomweb{path}", content=body, headers=headers, **more)


@contextmanager
def opened(folder: Path, **more: Any) -> Iterator[Web]:
    """DICOMweb on a new workspace with two hospitals."""
    with quick_hashing():
        site = open_site(Settings(workspace=folder, **more))
    hospitals, people = {}, {}
    with site.workspace.writing() as connection:
        for name in ("north", "south"):
            number = make_hospital(connection, name=name, code=name[0], now=site.now(), spellings=[name])
            hospitals[name] = number
            for role in (Role.RADIOLOGIST, Role.SITE_ADMIN, Role.GUEST):
                who = f"{name} {role}"
                people[who] = make_person(
                    connection, login=who.replace(" ", "."), name=who, hospital=number, roles=[role], now=site.now()
                )
        for role in (Role.PROVINCE, Role.OPERATOR):
            people[role] = make_person(connection, login=role, name=role, hospital=None, roles=[role], now=site.now())
    web = Web(application_of(site), site, hospitals, people)
    web.client = web.browser("north radiologist")
    yield web
    site.workspace.close()
    give_back(web.application)


@pytest.fixture(scope="session")
def web(tmp_path_factory) -> Iterator[Web]:
    """DICOMweb into which tests put studies of names of their own; nobody may count what is there."""
    with opened(tmp_path_factory.mktemp("web")) as made:
        yield made


@pytest.fixture(scope="session")
def filled(tmp_path_factory) -> Iterator[Web]:
    """Two studies of mine (two series of two slices, and one slice), one of the other hospital; only to be read."""
    with opened(tmp_path_factory.mktemp("filled")) as made:
        fill(made)
        yield made


@pytest.fixture
def fresh(tmp_path) -> Iterator[Web]:
    """The same for one test alone."""
    with opened(tmp_path / "workspace") as made:
        fill(made)
        yield made


def fill(web: Web) -> None:
    for series in ("a", "b"):
        for number in (1, 2):
            web.put(file_of(image(MINE, series, number, SeriesNumber=1 if series == "a" else 2)))
    web.put(
        file_of(image("later", "c", 1, StudyDate="20260401", PatientName="Li^Na", Modality="MR", AccessionNumber="A-2"))
    )
    web.put(file_of(image(THEIRS, "t", 1)), "south")


def parts_of(answer: Any) -> list[tuple[dict[str, str], bytes]]:
    """Header fields and bytes of each part; by another reader of such messages than the one that is tested."""
    kind = answer.headers["content-type"]
    boundary = kind.split("boundary=")[1].split(";")[0].strip('"')
    pieces = answer.content.split(f"\r\n--{boundary}".encode())
    assert pieces[0] == b""
    assert pieces[-1].startswith(b"--")
    found = []
    for piece in pieces[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        found.append(({name.lower(): value for name, value in fields.items()}, content))
    return found


@pytest.fixture
def parts() -> Callable[[Any], list[tuple[dict[str, str], bytes]]]:
    return parts_of


def message(files: list[bytes], kind: str = "application/dicom", boundary: str = "xyz") -> bytes:
    """A multipart message of objects."""
    head = f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode()
    return b"".join(head + file + b"\r\n" for file in files) + f"--{boundary}--\r\n".encode()


@pytest.fixture
def packed() -> Callable[..., bytes]:
    return message


@pytest.fixture
def opened_web() -> Callable[..., Any]:
    """DICOMweb with settings of a test's own."""
    return opened
