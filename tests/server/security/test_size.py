"""How much a request may send."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from bingcheng.archive.authorisation import Action, Actor
from bingcheng.server.security.required import allowed


@pytest.fixture(scope="module")
def probe():
    router = APIRouter()

    @router.post("/probe/upload")
    async def upload(request: Request, actor: Annotated[Actor, allowed(Action.SEND_OBJECTS, uploads=True)]):
        return JSONResponse(sum([len(part) async for part in request.stream()]))

    @router.post("/probe/stream")
    async def stream(request: Request, actor: Annotated[Actor, allowed(Action.SEND_OBJECTS)]):
        return JSONResponse(sum([len(part) async for part in request.stream()]))

    return router


@pytest.fixture
def client(serve, probe):
    return serve(probe, largest_form_mb=0.001, largest_upload_gb=1e-5).browser("technologist")


def parts(count: int, size: int = 100):
    return (bytes(size) for _ in range(count))


def test_up_to_the_limit_it_is_taken(client):
    assert client.post("/probe/stream", content=bytes(1000)).json() == 1000
    assert client.post("/probe/stream", content=bytes(1001)).status_code == 413
    assert client.post("/probe/upload", content=bytes(10_000)).json() == 10_000
    assert client.post("/probe/upload", content=bytes(10_001)).status_code == 413


def test_what_comes_without_a_length_is_counted(client):
    assert client.post("/probe/stream", content=parts(10)).json() == 1000
    assert client.post("/probe/stream", content=parts(11)).status_code == 413
    assert client.post("/probe/upload", content=parts(101)).status_code == 413


def test_a_false_length_does_not_help(client):
    answer = client.post("/probe/stream", content=parts(11), headers={"content-length": "5"})
    assert answer.status_code == 413


def test_a_form_is_limited_too_and_the_answer_is_one_of_ours(client):
    answer = client.post("/account/profile", data={"name": "x" * 2000})
    assert (answer.status_code, answer.json()["code"]) == (413, "server.too-large")


def test_a_body_of_ten_gigabytes_is_refused_by_its_length_alone(client):
    answer = client.post("/probe/upload", content=bytes(10), headers={"content-length": str(10**10)})
    assert answer.status_code == 413
