"""Requests as no browser writes them: what RFC 9110 and 9112 say is done, and a client that offers more is served."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import time

import pytest
from pydicom import dcmread
from tests.attack.conftest import answered
from tests.server.examples import OBJECT, SERIES, STUDY, ct_file, prepare

from bingcheng.archive.authorisation import Scope, hospital_space
from bingcheng.archive.objects.received import Origin

STUDIES = "/dicomweb/studies"
FRAME = f"/dicomweb/studies/{STUDY}/series/{SERIES}/instances/{OBJECT}/frames/1"
UPGRADES = {
    "h2c": b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    "websocket": b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    "TLS": b"connection: upgrade\r\nupgrade: TLS/1.2\r\n",
}


@pytest.fixture
def here(listening):
    """A server with an exam."""
    made = listening(largest_form_mb=2)
    prepare(made.served)
    return made


def field(here, scope=Scope.DICOM_READ, who="radiologist"):
    """The line with the token of a program."""
    return f"authorization: {here.served.program(who, scope).headers['authorization']}\r\n".encode()


def statuses(answer):
    return [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3})", answer)]


def asked(here, *pieces):
    """The statuses that come for what is sent piece by piece; the last says that the connection is to be closed."""
    with here.connected() as one:
        for piece in pieces:
            one.sendall(piece)
            time.sleep(0.1)
        return statuses(answered(one))


HOST, CLOSE = b"host: 127.0.0.1\r\n", b"connection: close\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n"


class TestHosts:
    """RFC 9112 3.2."""

    def test_a_request_without_a_host_is_a_bad_one(self, here):
        assert asked(here, b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"\r\n") == [400]

    @pytest.mark.parametrize("second", [b"evil.example", b"127.0.0.1"])
    def test_a_request_with_two_hosts_is_a_bad_one(self, here, second):
        assert asked(here, b"GET /healthz HTTP/1.1\r\n" + HOST + b"host: " + second + b"\r\n" + CLOSE + b"\r\n") == [
            400
        ]

    @pytest.mark.parametrize(
        ("target", "status"),
        [
            (b"http://127.0.0.1/healthz", 200),
            (b"HTTP://LOCALHOST:80/healthz", 200),
            (b"http://evil.example/healthz", 421),
            (b"http://127.0.0.1@evil.example/healthz", 421),
            (b"http://evil.example@127.0.0.1/healthz", 421),
            (b"http://evil.example:80?/healthz", 421),
        ],
    )
    def test_the_host_of_a_whole_address_is_the_one_that_counts(self, here, target, status):
        # RFC 9112 3.2.2: the field is ignored, which a proxy may have taken from elsewhere.
        assert asked(here, b"GET " + target + b" HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n") == [status]

    def test_addresses_in_an_answer_are_of_the_host_of_a_whole_address(self, here):
        head = b"GET http://localhost:1234" + STUDIES.encode() + b" HTTP/1.1\r\n"
        with here.connected(head + HOST + field(here) + CLOSE + b"\r\n") as one:
            answer = answered(one)
        assert b"http://localhost:1234/dicomweb/studies/" in answer
        assert b"127.0.0.1" not in answer

    def test_a_host_is_not_asked_of_http_1_0(self, here):
        with here.connected(b"GET http://127.0.0.1/healthz HTTP/1.0\r\n\r\n") as one:
            assert answered(one).startswith((b"HTTP/1.1 200", b"HTTP/1.1 421"))


class TestCodings:
    """RFC 9112 6.1: of the codings of a transfer only the chunked one is known here."""

    @pytest.mark.parametrize(
        "fields",
        [
            b"transfer-encoding: gzip, chunked\r\n",
            b"transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n",
            b"transfer-encoding: x-unknown;level=1, Chunked\r\n",
        ],
    )
    def test_a_body_in_a_coding_that_is_not_known_is_not_taken_for_another(self, here, fields):
        head = b"POST /dicomweb/studies HTTP/1.1\r\n" + HOST + field(here, Scope.DICOM_WRITE, "technologist")
        head += b"content-type: application/dicom\r\n" + fields
        file = ct_file()
        body = b"%x\r\n" % len(file) + file + b"\r\n0\r\n\r\n"
        assert asked(here, head + b"\r\n" + body, HEALTH) == [501, 200]
        assert asked(here, b"GET /healthz HTTP/1.1\r\n" + HOST + fields + b"\r\n0\r\n\r\n", HEALTH) == [501, 200]

    @pytest.mark.parametrize("said", [b"chunked", b"Chunked", b"  chunked", b", chunked"])
    def test_the_chunked_one_is_taken_however_it_is_written(self, here, said):
        head = b"GET /healthz HTTP/1.1\r\n" + HOST + b"transfer-encoding: " + said
        assert asked(here, head + b"\r\n\r\n3\r\na=b\r\n0\r\n\r\n", HEALTH) == [200, 200]

    @pytest.mark.parametrize("said", [b"gzip", b"chunked, gzip", b"identity"])
    def test_a_body_whose_end_can_not_be_known_is_a_bad_request(self, here, said):
        head = b"POST /login HTTP/1.1\r\n" + HOST + b"transfer-encoding: " + said
        assert asked(here, head + b"\r\n\r\n3\r\na=b\r\n0\r\n\r\n") == [400]

    def test_a_coding_in_a_request_of_http_1_0_ends_its_connection(self, here):
        head = b"GET /healthz HTTP/1.0\r\n" + HOST + b"connection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n"
        assert asked(here, head + b"0\r\n\r\n" + HEALTH) == [400]


class TestUpgrades:
    """RFC 9110 7.8: a server may ignore an offer of another protocol; then the request is one like any other."""

    @pytest.mark.parametrize("offer", UPGRADES.values(), ids=UPGRADES)
    @pytest.mark.parametrize("framing", ["length", "chunked"])
    def test_the_body_of_a_request_that_offers_another_protocol_is_taken(self, here, offer, framing):
        file = ct_file()
        head = b"POST /dicomweb/studies HTTP/1.1\r\n" + HOST + offer + field(here, Scope.DICOM_WRITE, "technologist")
        head += b"content-type: application/dicom\r\n"
        if framing == "length":
            pieces = (head + b"content-length: %d\r\n\r\n" % len(file) + file[:50], file[50:200], file[200:])
        else:
            pieces = (
                head + b"transfer-encoding: chunked\r\n\r\n",
                b"32\r\n" + file[:50] + b"\r\n",
                b"%x\r\n" % (len(file) - 50) + file[50:] + b"\r\n0\r\n\r\n",
            )
        assert asked(here, *pieces, HEALTH) == [200, 200]

    @pytest.mark.parametrize("offer", UPGRADES.values(), ids=UPGRADES)
    def test_requests_behind_it_are_answered(self, here, offer):
        offering = b"GET /healthz HTTP/1.1\r\n" + HOST + offer + b"\r\n"
        assert asked(here, offering + offering + HEALTH) == [200, 200, 200]
        assert asked(here, offering, HEALTH) == [200, 200]

    @pytest.mark.parametrize("offer", UPGRADES.values(), ids=UPGRADES)
    def test_what_else_is_said_of_the_connection_holds(self, here, offer):
        closing = offer.replace(b"connection: ", b"connection: close, ")
        assert asked(here, b"GET /healthz HTTP/1.1\r\n" + HOST + closing + b"\r\n" + HEALTH) == [200]

    def test_an_offer_does_not_hide_two_lengths(self, here):
        head = b"POST /login HTTP/1.1\r\n" + HOST + UPGRADES["h2c"]
        assert asked(here, head + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello") == [400]
        assert asked(here, head + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n") == [400]

    @pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
    def test_curl_stores_though_it_offers_http_2(self, here, tmp_path):
        file = tmp_path / "image.dcm"
        image = dcmread(io.BytesIO(ct_file()))
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
        image.Rows = image.Columns = 1024
        image.PixelData = bytes(2 << 20)  # more than comes at once
        image.save_as(file, enforce_file_format=True)
        token = field(here, Scope.DICOM_WRITE, "technologist").decode().strip()
        command = ["curl", "-s", "--http2", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", f"@{file}"]
        headers = ("-H", token, "-H", "content-type: application/dicom", "-H", "expect:")
        done = subprocess.run([*command, *headers, here.address + STUDIES], capture_output=True, check=True, timeout=60)
        assert done.stdout == b"200"


class TestExpectations:
    """RFC 9110 10.1.1."""

    def test_a_client_of_http_1_0_is_not_told_to_go_on(self, here):
        head = b"POST /dicomweb/studies HTTP/1.0\r\n" + HOST + b"content-type: application/dicom\r\n"
        head += field(here, Scope.DICOM_WRITE, "technologist") + b"content-length: 5\r\nexpect: 100-continue\r\n\r\n"
        assert asked(here, head + b"hello") == [409]

    def test_one_of_http_1_1_is_told_to_go_on_when_its_body_is_wanted(self, here):
        head = b"POST /dicomweb/studies HTTP/1.1\r\n" + HOST + b"content-type: application/dicom\r\n" + CLOSE
        head += b"content-length: 5\r\nexpect: 100-continue\r\n"
        allowed = field(here, Scope.DICOM_WRITE, "technologist")
        assert asked(here, head + allowed + b"\r\n", b"hello") == [100, 409]
        assert asked(here, head + b"\r\n") == [401], "nobody may send what is refused anyway"


def test_a_range_is_of_get_alone(client):
    # RFC 9110 14.2
    headers = {"accept": "application/octet-stream", "range": "bytes=0-3"}
    part, head = client.get(FRAME, headers=headers), client.head(FRAME, headers=headers)
    assert (part.status_code, part.headers["content-length"]) == (206, "4")
    assert (head.status_code, head.headers["content-length"]) == (200, "32")


METADATA = f"/dicomweb/studies/{STUDY}/metadata"


@pytest.fixture
def client(served):
    """A browser that may see an exam; its metadata are worth to be compressed."""
    image = dcmread(io.BytesIO(ct_file()))
    image.ImageComments = "nothing more to say " * 100
    written = io.BytesIO()
    image.save_as(written, enforce_file_format=True)
    space, origin = hospital_space(served.north), Origin(kind="import", peer="test")
    served.site.objects.receive(written.getvalue(), space=space, origin=origin)
    return served.browser("radiologist")


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("gzip", True),
        ("GZIP;Q=1", True),
        ("x-gzip", True),
        ("*", True),
        ("br, *;q=0.5", True),
        ("gzip;q=0.001", True),
        ("*;q=0, gzip", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip ; q=0.", False),
        ("*;q=0.5, gzip;q=0", False),
        ("*;q=0", False),
    ],
)
def test_an_answer_is_compressed_where_that_is_accepted(client, said, taken):
    # RFC 9110 12.5.3: what is named goes before what the asterisk stands for.
    answer = client.get(METADATA, headers={"accept-encoding": said})
    assert (answer.headers.get("content-encoding") == "gzip") is taken
    assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("path", "accept", "strong"),
    [
        (METADATA, "application/dicom+json", False),
        (METADATA, 'multipart/related; type="application/dicom+xml"', False),
        (FRAME, "application/octet-stream", True),
        (FRAME, "multipart/related", False),
        (f"{FRAME}/rendered", "image/png", True),
        (FRAME.removesuffix("/frames/1"), "application/dicom", True),
        (FRAME.removesuffix("/frames/1"), "multipart/related", False),
        (f"/dicomweb/studies/{STUDY}/bulkdata", "*/*", False),
    ],
)
def test_a_strong_validator_stands_for_the_same_bytes(client, path, accept, strong):
    # RFC 9110 8.8.1: compressed or not, with another boundary each time, an answer is the same only in what it says.
    tags, bodies = set(), set()
    for encoding in ("gzip", "identity", "gzip"):
        answer = client.get(path, headers={"accept": accept, "accept-encoding": encoding})
        assert answer.status_code == 200
        tags.add(answer.headers["etag"])
        bodies.add((answer.content, answer.headers.get("content-encoding")))
    (tag,) = tags
    assert tag.startswith('"') is strong
    assert len(bodies) == 1 or not strong
    same = client.get(path, headers={"accept": accept, "if-none-match": tag.removeprefix("W/")})
    assert (same.status_code, same.headers["etag"]) == (304, tag)
    changed = client.get(path, headers={"accept": accept, "if-match": '"other"'})
    assert changed.status_code == 412, "RFC 9110 13.1.1"
    kept = client.get(path, headers={"accept": accept, "if-match": f'"other", {tag}'})
    assert kept.status_code == (200 if strong else 412), "a weak one never matches here"
    assert client.get(path, headers={"accept": accept, "if-match": "*"}).status_code == 200
