"""Orthanc as a client: its DICOMweb plugin stores with us and retrieves from us."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from benchmarks.exchange_objects import file_of, image, uid_of
from benchmarks.exchange_orthanc import installed, orthanc
from benchmarks.exchange_server import serving

pytestmark = pytest.mark.skipif(not installed(), reason="Orthanc and its DICOMweb plugin are not installed")


def asked(url: str, body: bytes | dict | None = None, **headers: str) -> Any:
    """The answer to a GET, or a POST of a body; JSON read."""
    sent = json.dumps(body).encode() if isinstance(body, dict) else body
    request = urllib.request.Request(url, data=sent, headers=headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
        said = answer.read()
    return json.loads(said) if said[:1] in (b"{", b"[") else said


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Iterator[tuple[str, str, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("pair")
    with serving(folder / "ours") as (url, headers, _):
        server = {"Url": f"{url}/", "HttpHeaders": headers}
        with orthanc(folder / "theirs", servers={"bingcheng": server}) as (address, _):
            yield address, url, headers


def test_orthanc_stores_with_us(pair):
    address, url, headers = pair
    files = [file_of(image("out", "a", n)) for n in range(1, 21)]
    ids = [asked(f"{address}/instances", one)["ID"] for one in files]
    sent = asked(f"{address}/dicom-web/servers/bingcheng/stow", {"Resources": ids, "Synchronous": True})
    assert sent
    place = f"{url}/studies/{uid_of('out')}"
    assert len(asked(f"{place}/instances", **headers)) == 20
    one = f"{place}/series/{uid_of('out', 'a')}/instances/{uid_of('out', 'a', 7)}"
    assert asked(one, Accept="application/dicom", **headers) == files[6]


def test_orthanc_searches_and_retrieves_from_us(pair):
    address, url, headers = pair
    files = [file_of(image("in", "a", n)) for n in range(1, 11)]
    body = b"".join(b"--x\r\nContent-Type: application/dicom\r\n\r\n%b\r\n" % one for one in files) + b"--x--"
    kind = 'multipart/related; type="application/dicom"; boundary=x'
    asked(f"{url}/studies", body, **{"Content-Type": kind, **headers})
    qido = {"Uri": "/studies", "Arguments": {"00100020": "P-in"}}
    found = asked(f"{address}/dicom-web/servers/bingcheng/qido", qido)
    assert [one["0020000D"]["Value"] for one in found] == [uid_of("in")]
    wado = {"Resources": [{"Study": uid_of("in")}], "Synchronous": True}
    asked(f"{address}/dicom-web/servers/bingcheng/retrieve", wado)
    (mine,) = asked(f"{address}/tools/find", {"Level": "Study", "Query": {"StudyInstanceUID": uid_of("in")}})
    instances = asked(f"{address}/studies/{mine}/instances")
    assert sorted(asked(f"{address}/instances/{one['ID']}/file") for one in instances) == sorted(files)
