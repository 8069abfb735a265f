"""Answers are believed only if the right installation signed them for this very request."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta

import httpx
import pytest
from tests.archive.pairing.making import NOON

from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.message import DIGEST, answer_parts, content_digest, signed
from bingcheng.archive.pairing.peers import Peer
from bingcheng.core.errors import BingchengError
from bingcheng.server.pairing.client import LARGEST_ANSWER, PeerClient

OURS, THEIRS, OTHER = InstallationKey.new(), InstallationKey.new(), InstallationKey.new()
PEER = Peer(
    number=1,
    keyid=THEIRS.identifier,
    public=THEIRS.public,
    name="South",
    address="https://south.example",
    authority="",
    pin="",
    may=frozenset(),
    allows=frozenset(),
    hospital=None,
    made_at=NOON,
    confirmed_at=NOON,
    confirmed_by=None,
    revoked_at=None,
    heard_at=None,
)


def asked(*, key=THEIRS, body=b'{"may": []}', sent=None, status=200, signed_status=200, request=None, later_s=0):
    """What asking gives when the server answers so."""

    def handler(received: httpx.Request) -> httpx.Response:
        signature = b64decode(received.headers["signature"].split(":")[1]) if request is None else request
        digest = content_digest(body)
        fields = signed(key, answer_parts(signed_status, digest, signature), NOON + timedelta(seconds=later_s))
        return httpx.Response(status, content=body if sent is None else sent, headers={DIGEST: digest, **fields})

    with PeerClient(PEER, OURS, lambda: NOON) as client:
        client._client.close()
        client._client = httpx.Client(transport=httpx.MockTransport(handler))
        return client.ask("GET", "/hello").values()


def code(**answer) -> str:
    with pytest.raises(BingchengError) as raised:
        asked(**answer)
    return raised.value.code


def test_a_signed_answer_is_believed():
    assert asked() == {"may": []}


@pytest.mark.parametrize(
    "answer",
    [
        {"key": OTHER},
        {"sent": b'{"may": ["push-cases"]}'},
        {"signed_status": 204},
        {"request": bytes(64)},
    ],
)
def test_any_other_answer_is_not(answer):
    assert code(**answer) == "archive.unsigned-answer"


@pytest.mark.parametrize("later_s", [301, -301])
def test_an_answer_of_another_time_is_not_and_the_clocks_are_named_for_it(later_s):
    assert code(later_s=later_s) == "archive.clocks-differ"


REFUSED = b'{"code": "archive.clocks-differ"}'


def refused(**fields) -> str:
    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403, content=REFUSED, headers=fields)

    with PeerClient(PEER, OURS, lambda: NOON) as client:
        client._client.close()
        client._client = httpx.Client(transport=httpx.MockTransport(handler))
        with pytest.raises(BingchengError) as raised:
            client.ask("GET", "/hello")
    return str(raised.value.reason)


def test_whoever_is_refused_for_the_time_is_told_what_both_clocks_say():
    said = refused(date="Sun, 01 Mar 2026 11:40:00 GMT")
    assert "its clock says 2026-03-01 11:40 and ours 2026-03-02 12:00 (UTC)" in said
    assert "time server" in said


@pytest.mark.parametrize(
    "fields", [{}, {"date": ""}, {"date": "yesterday"}, {"date": "Sun, 99 Mar 99999 11:40:00 GMT"}]
)
def test_without_a_readable_date_the_clocks_are_named_all_the_same(fields):
    assert "differ by more than five minutes" in refused(**fields)


@pytest.mark.parametrize("status", [301, 429, 500, 503])
def test_what_is_no_answer_is_tried_again(status):
    assert code(status=status, sent=b"") == "archive.peer-no-answer"


@pytest.mark.parametrize("body", [b"[]", b"x", b"[" * 100_000])
def test_an_answer_of_another_form_is_none(body):
    assert code(body=body) == "archive.peer-no-answer"


def test_an_answer_without_end_is_not_read():
    assert code(body=bytes(LARGEST_ANSWER + 1)) == "archive.peer-no-answer"


def test_what_a_refusal_says_is_no_more_than_its_code():
    with pytest.raises(BingchengError) as raised:
        asked(status=403, sent=b'{"code": "archive.not-paired", "says": "<script>"}')
    assert raised.value.reason.facts["code"] == "archive.not-paired"
    with pytest.raises(BingchengError) as raised:
        asked(status=403, sent=b'{"code": "<script>"}')
    assert raised.value.reason.facts["code"] == "?"
