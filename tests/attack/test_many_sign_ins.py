"""A thousand passwords at once, or a provider that doesn't answer: the pages are there for everybody else."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.server.conftest import PASSWORD
from tests.server.direct import NO_TLS

from bingcheng.archive.people.passwords import MOST_WAITING, Passwords
from bingcheng.core.errors import RemoteError
from bingcheng.server.security import oidc


def test_few_wait_for_their_turn_and_the_others_are_told_to_come_again():
    passwords, begun, go_on = Passwords(at_once=2), threading.Semaphore(0), threading.Event()

    class Slow:
        def verify(self, *_):
            begun.release()
            go_on.wait(10)
            return True

    passwords._hasher = Slow()
    with ThreadPoolExecutor(2 + MOST_WAITING) as pool:
        held = [pool.submit(passwords.matches, "hash", "word") for _ in range(2 + MOST_WAITING)]
        for _ in range(2):
            begun.acquire(timeout=10)
        while passwords._waiting._value:
            time.sleep(0.01)
        with pytest.raises(RemoteError) as raised:
            passwords.matches("hash", "word")
        go_on.set()
        assert all(one.result() for one in held)
    assert raised.value.code == "archive.too-many-sign-ins"
    assert passwords.matches("hash", "word"), "there is room again"


def entered(address, login, password):
    with httpx.Client(base_url=address, trust_env=False, verify=NO_TLS, timeout=60) as client:
        token = re.search('name="csrf" value="(\\w+)"', client.get("/login").text).group(1)
        return client.post("/login", data={"login": login, "password": password, "csrf": token}).status_code


def test_while_many_sign_in_the_pages_answer(listening):
    here = listening(largest_form_mb=2)
    here.served.site.passwords = Passwords()  # which take as long as usual

    with ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(entered, here.address, f"nobody{number}", "x") for number in range(40)]
        began = time.monotonic()
        page = httpx.get(f"{here.address}/login", trust_env=False, timeout=30)
        took = time.monotonic() - began
        statuses = {one.result() for one in asked}
    assert page.status_code == 200
    assert took < 10
    assert statuses <= {401, 429, 503}
    assert entered(here.address, "radiologist", PASSWORD) in (303, 429), "the address has failed often"


def test_a_provider_that_does_not_answer_takes_few_threads(serve, monkeypatch):
    served = serve(oidc={"issuer": "http://127.0.0.1:9", "client_id": "x"})
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(*_):
        begun.release()
        go_on.wait(20)
        raise RemoteError(oidc.PROVIDER_FAILED, error="timeout")

    monkeypatch.setattr(oidc, "_metadata", slow)
    with ThreadPoolExecutor(oidc.AT_ONCE) as pool:
        held = [pool.submit(served.anonymous().get, "/login/oidc") for _ in range(oidc.AT_ONCE)]
        for _ in range(oidc.AT_ONCE):
            assert begun.acquire(timeout=20)
        answer = served.anonymous().get("/login/oidc")
        go_on.set()
        assert {one.result().status_code for one in held} == {503}
    assert (answer.status_code, answer.json()["code"]) == (503, "server.provider-failed")
    assert "busy" in answer.json()["says"]


@pytest.mark.parametrize("password", ["x" * 2001, "x" * 1_900_000])
def test_a_long_password_costs_no_more_than_another(served, password):
    client = served.anonymous()
    token = re.search('name="csrf" value="(\\w+)"', client.get("/login").text).group(1)
    began = time.process_time()
    answer = client.post("/login", data={"login": "radiologist", "password": password, "csrf": token})
    assert time.process_time() - began < 2
    assert answer.status_code in (400, 413, 422)


def test_links_tell_nobody_which_of_them_there_were(served):
    client = served.anonymous()
    pages = [client.get(f"/invitation/{secret}") for secret in ("a" * 43, "b" * 43, "%00", "c")]
    assert {page.status_code for page in pages} == {404}
    said = {re.sub('name="csrf" value="\\w+"|value="/invitation/[^"]*"', "", page.text) for page in pages if page.text}
    assert len({words for words in said if "<main" in words}) == 1
