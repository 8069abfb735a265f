"""Objects that are something else too, or grow when they are opened: stored as they are, never run, never let grow."""

from __future__ import annotations

import io
import resource
import zlib

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless
from tests.server.examples import OBJECT, SERIES, STUDY, ct_file

INSTANCE = f"/dicomweb/studies/{STUDY}/series/{SERIES}/instances/{OBJECT}"
PREAMBLES = {
    "a page": b"<!doctype html><script>alert(1)</script><!--",
    "a program": b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff",
    "a script": b"#!/bin/sh\nexit 1\n",
    "a PDF": b"%PDF-1.7\n",
    "a drawing": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>",
    "an archive": b"PK\3\4",
}
DEFLATED = "1.2.840.10008.1.2.1.99"


def sent(served, data: bytes, who: str = "technologist"):
    return served.browser(who).post("/dicomweb/studies", content=data, headers={"content-type": "application/dicom"})


@pytest.mark.parametrize("what", PREAMBLES)
def test_what_stands_before_the_header_is_kept_and_never_opened_by_a_browser(served, what):
    data = PREAMBLES[what].ljust(128, b" ") + ct_file()[128:]
    assert sent(served, data).status_code == 200
    client = served.browser("radiologist")
    places = {
        INSTANCE: "application/dicom",
        f"{INSTANCE}/bulk/7FE00010": "application/octet-stream",
        f"{INSTANCE}/frames/1": "application/octet-stream",
    }
    for path, accept in places.items():
        answer = client.get(path, headers={"accept": accept})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(accept)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "script-src" not in answer.headers["content-security-policy"]
    assert client.get(INSTANCE, headers={"accept": "application/dicom"}).content == data, "byte for byte"


@pytest.mark.parametrize("path", ["/", "/rendered", "/thumbnail", "/metadata"])
def test_a_browser_that_would_like_a_page_gets_none(served, path):
    assert sent(served, PREAMBLES["a page"].ljust(128) + ct_file()[128:]).status_code == 200
    answer = served.browser("radiologist").get(INSTANCE + path.rstrip("/"), headers={"accept": "text/html,*/*;q=0.8"})
    assert not answer.headers["content-type"].startswith("text/html")


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_a_deflated_object_that_grows_without_an_end_is_refused(served):
    image = dcmread(io.BytesIO(ct_file()))
    image.file_meta.TransferSyntaxUID = DEFLATED
    written = io.BytesIO()
    dcmwrite(written, image, enforce_file_format=True)
    packer, bomb = zlib.compressobj(9, wbits=-zlib.MAX_WBITS), []
    head = written.getvalue()
    start = head.index(b"DICM") + 4
    start += 12 + int.from_bytes(head[start + 8 : start + 12], "little")  # behind the meta header (PS3.10 7.1)
    zeros = bytes(1 << 24)
    bomb.append(packer.compress(zlib.decompress(head[start:], wbits=-zlib.MAX_WBITS)[:-8]))
    bomb.extend(packer.compress(zeros) for _ in range(70))  # 1.1 GB
    bomb.append(packer.flush())
    data = head[:start] + b"".join(bomb)
    assert len(data) < 4_000_000
    before = peak_mib()
    assert 400 <= sent(served, data).status_code < 500
    assert peak_mib() - before < 300


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless, JPEGLSLossless, RLELossless])
@pytest.mark.parametrize("side", [65535, 16384])
def test_a_few_bytes_that_claim_to_be_an_enormous_picture_cost_little(served, syntax, side):
    image = dcmread(io.BytesIO(ct_file()))
    image.Rows = image.Columns = side
    image.PixelData = encapsulate([b"\xff\xd8\xff\xe0" + b"\0" * 200])
    image["PixelData"].VR = "OB"
    image.file_meta.TransferSyntaxUID = syntax
    written = io.BytesIO()
    dcmwrite(written, image, enforce_file_format=True)
    assert sent(served, written.getvalue()).status_code == 200
    client, before = served.browser("radiologist"), peak_mib()
    for path in (f"/quicklook/{STUDY}", f"/quicklook/{STUDY}/{SERIES}/0.webp", f"{INSTANCE}/rendered"):
        assert client.get(path).status_code < 500
    assert peak_mib() - before < 700


def test_a_compressed_body_grows_no_further_than_another_may_be_long(serve):
    served, before = serve(largest_upload_gb=0.02), peak_mib()
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(bytes(1 << 24)) for _ in range(30)) + packer.flush()  # 500 MB
    assert len(bomb) < 1_000_000
    kind = {"content-type": "application/dicom", "content-encoding": "gzip"}
    answer = served.browser("technologist").post("/dicomweb/studies", content=bomb, headers=kind)
    assert answer.status_code in (413, 415)
    assert peak_mib() - before < 200
