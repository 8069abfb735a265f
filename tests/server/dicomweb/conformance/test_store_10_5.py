"""PS3.18 10.5: the Store transaction (STOW-RS), with the response module of annex I."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from xml.etree import ElementTree as ET

import pydicom
import pytest
from benchmarks.exchange_objects import CT, file_of, image, uid_of

from bingcheng.archive.dicomweb.xml import native_model

KIND = 'multipart/related; type="application/dicom"; boundary=xyz'
REFERENCED, FAILED, OTHER, REASON = "00081199", "00081198", "0008119A", "00081197"


def reasons(answer, sequence: str = FAILED) -> list[int]:
    return [one[REASON]["Value"][0] for one in answer.json()[sequence]["Value"]]


def stored_uids(answer) -> set[str]:
    return {one["00081155"]["Value"][0] for one in answer.json()[REFERENCED]["Value"]}


def test_stored_objects_are_told_with_where_to_retrieve_them(web, packed):
    files = [file_of(image("stow", "s", n)) for n in (1, 2, 3)]
    answer = web.post("/studies", packed(files), KIND)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/dicom+json")
    place = f"http://127.0.0.1:8080/dicomweb/studies/{uid_of('stow')}"
    assert answer.headers["location"] == answer.headers["content-location"] == place  # table 10.5.3-2
    assert set(answer.json()) == {"00081190", REFERENCED}
    assert answer.json()["00081190"]["Value"] == [f"http://127.0.0.1:8080/dicomweb/studies/{uid_of('stow')}"]
    for one in answer.json()[REFERENCED]["Value"]:
        assert one["00081150"]["Value"] == [CT]
        assert web.client.get(one["00081190"]["Value"][0], headers={"accept": "application/dicom"}).content in files
    assert stored_uids(answer) == {uid_of("stow", "s", n) for n in (1, 2, 3)}


def test_an_object_may_be_sent_alone(web):
    file = file_of(image("alone", "s", 1))
    assert web.post("/studies", file, "application/dicom").status_code == 200
    path = f"/studies/{uid_of('alone')}/series/{uid_of('alone', 's')}/instances/{uid_of('alone', 's', 1)}"
    assert web.get(path, "application/dicom").content == file


def test_the_answer_may_be_xml(web, packed):
    body = packed([file_of(image("xml", "s", 1)), b"nonsense"])
    answer = web.post("/studies", body, KIND, headers={"accept": "application/dicom+xml"})
    assert (answer.status_code, answer.headers["content-type"]) == (202, "application/dicom+xml")
    tags = {one.get("tag") for one in ET.parse(io.BytesIO(answer.content)).getroot()}  # noqa: S314
    assert tags == {"00081190", REFERENCED, OTHER}


def test_what_is_there_already_is_stored_and_other_bytes_are_a_duplicate(web, packed):
    first, other = file_of(image("twice", "s", 1)), file_of(image("twice", "s", 1, PatientSex="M"))
    assert web.post("/studies", packed([first]), KIND).status_code == 200
    assert web.post("/studies", packed([first, first]), KIND).status_code == 200
    answer = web.post("/studies", packed([other]), KIND)
    assert (answer.status_code, reasons(answer)) == (409, [0x0111])
    path = f"/studies/{uid_of('twice')}/series/{uid_of('twice', 's')}/instances/{uid_of('twice', 's', 1)}"
    assert web.get(path, "application/dicom").content == first


def broken(name: str) -> bytes:
    whole = file_of(image("broken", "s", 1))
    if name == "not DICOM":
        return b"<html>" * 100
    if name == "empty":
        return b""
    if name == "truncated":
        return whole[:-100]
    made = image("broken", "s", 2)
    if name == "no study":
        del made.StudyInstanceUID
    elif name == "forged UID":
        made.SeriesInstanceUID = "1.2.840"
        return file_of(made).replace(b"1.2.840\0", b"../../x\0")
    return file_of(made)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("not DICOM", 0xC000), ("empty", 0xC000), ("truncated", 0xC000), ("no study", 0x0117), ("forged UID", 0x0117)],
)
def test_an_object_that_is_refused_does_not_stop_the_others(web, packed, name, reason):
    good = file_of(image("good", "s", 1))
    answer = web.post("/studies", packed([good, broken(name), good]), KIND)
    assert answer.status_code == 202
    assert reasons(answer, OTHER) == [reason]
    assert stored_uids(answer) == {uid_of("good", "s", 1)}
    alone = web.post("/studies", packed([broken(name)]), KIND)
    assert (alone.status_code, reasons(alone, OTHER)) == (409, [reason])


def test_a_study_takes_only_its_own(web, packed):
    files = [file_of(image("bound", "s", 1)), file_of(image("stranger", "s", 1))]
    answer = web.post(f"/studies/{uid_of('bound')}", packed(files), KIND)
    assert (answer.status_code, reasons(answer)) == (202, [0xA900])
    assert stored_uids(answer) == {uid_of("bound", "s", 1)}
    (refused,) = answer.json()[FAILED]["Value"]
    assert refused["00081155"]["Value"] == [uid_of("stranger", "s", 1)]
    assert web.get(f"/studies/{uid_of('stranger')}").status_code == 404
    assert web.post("/studies/nonsense", packed(files), KIND).status_code == 400


def test_a_body_that_is_cut_off_keeps_what_came_whole(web, packed):
    body = packed([file_of(image("cut", "s", n)) for n in (1, 2)])
    answer = web.post("/studies", body[:-300], KIND)
    assert (answer.status_code, reasons(answer, OTHER)) == (202, [0xC000])
    assert stored_uids(answer) == {uid_of("cut", "s", 1)}
    assert web.post("/studies", body[:200], KIND).status_code == 400


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("", 415),
        ("text/plain", 415),
        ("multipart/form-data; boundary=xyz", 415),
        ('multipart/related; type="text/plain"; boundary=xyz', 415),
        ('multipart/related; type="application/dicom"', 400),
        ('multipart/related; type="application/dicom"; boundary=other', 400),
        ("nonsense", 415),
    ],
)
def test_bodies_of_another_kind_are_refused(web, packed, kind, status):
    assert web.post("/studies", packed([file_of(image("kind", "s", 1))]), kind).status_code == status


def test_parts_of_another_kind_are_refused(web, packed):
    answer = web.post("/studies", packed([file_of(image("kind", "s", 1))], kind="text/plain"), KIND)
    assert (answer.status_code, reasons(answer, OTHER)) == (409, [0xC000])


def _in_two_members(body: bytes) -> bytes:
    return gzip.compress(body[:700]) + gzip.compress(body[700:])  # RFC 1952 2.2


@pytest.mark.parametrize(
    ("encoding", "squeeze"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("x-gzip", _in_two_members)]
)
def test_a_body_may_be_compressed(web, packed, encoding, squeeze):
    # Table 10.5.1-2: Content-Encoding is for the origin server to support.
    name = f"squeezed {encoding}"
    file = file_of(image(name, "s", 1))
    answer = web.post("/studies", squeeze(packed([file])), KIND, headers={"content-encoding": encoding})
    assert answer.status_code == 200
    path = f"/studies/{uid_of(name)}/series/{uid_of(name, 's')}/instances/{uid_of(name, 's', 1)}"
    assert web.get(path, "application/dicom").content == file


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("br", b"\x0b\x02\x80", 415),
        ("gzip", b"\x1f\x8b" + bytes(100), 400),
        ("gzip", gzip.compress(b"--xyz--\r\n", mtime=0)[:-9], 400),
        ("gzip", gzip.compress(b"--xyz--\r\n", mtime=0) + b"behind", 400),
        ("gzip, gzip", gzip.compress(gzip.compress(b"--xyz--\r\n", mtime=0), mtime=0), 415),
    ],
)
def test_a_body_that_is_not_compressed_as_it_says_is_refused(web, encoding, body, status):
    assert web.post("/studies", body, KIND, headers={"content-encoding": encoding}).status_code == status


def test_a_small_body_may_not_grow_beyond_the_limit(tmp_path, opened_web):
    with opened_web(tmp_path / "w", largest_upload_gb=0.001) as web:
        head = b"--xyz\r\nContent-Type: application/dicom\r\n\r\n"
        body = gzip.compress(head + bytes(40_000_000) + b"\r\n--xyz--\r\n")
        assert len(body) < 60_000
        assert web.post("/studies", body, KIND, headers={"content-encoding": "gzip"}).status_code == 413


def test_a_body_without_parts_stores_nothing(web):
    assert web.post("/studies", b"--xyz--\r\n", KIND).status_code == 409
    assert web.post("/studies", b"", KIND).status_code == 400


class TestMetadata:
    """10.5.2.1: metadata with bulk data beside it."""

    KIND = 'multipart/related; type="application/dicom+json"; boundary=xyz'

    def body(self, described: object, *bulk: tuple[str, str, bytes]) -> bytes:
        head = b"--xyz\r\nContent-Type: application/dicom+json\r\n\r\n"
        parts = [head + json.dumps(described).encode() + b"\r\n"]
        for kind, location, value in bulk:
            parts.append(
                f"--xyz\r\nContent-Type: {kind}\r\nContent-Location: {location}\r\n\r\n".encode() + value + b"\r\n"
            )
        return b"".join(parts) + b"--xyz--"

    def described(self, made: pydicom.Dataset, uri: str) -> tuple[dict, bytes]:
        found = made.to_json_dict()
        value = made.PixelData
        found["7FE00010"] = {"vr": "OW", "BulkDataURI": uri}
        return found, value

    def test_an_object_is_made_of_its_attributes_and_its_pixels(self, web):
        made = image("described", "s", 1)
        found, value = self.described(made, "bulk/1")
        answer = web.post("/studies", self.body([found], ("application/octet-stream", "bulk/1", value)), self.KIND)
        assert answer.status_code == 200, answer.text
        path = f"/studies/{uid_of('described')}/series/{uid_of('described', 's')}/instances/{made.SOPInstanceUID}"
        assert pydicom.dcmread(io.BytesIO(web.get(path, "application/dicom").content)) == made

    def test_attributes_may_be_documents_one_in_each_part(self, web):
        # 10.5.1.4: XML metadata have one message part per object.
        made = [image("documents", "s", number) for number in (1, 2)]
        parts = []
        for number, one in enumerate(made):
            found, value = self.described(one, f"bulk/{number}")
            parts.append(("application/dicom+xml", "", native_model(found)))
            parts.append(("application/octet-stream", f"bulk/{number}", value))
        body = b"".join(
            f"--xyz\r\nContent-Type: {kind}\r\nContent-Location: {place}\r\n\r\n".encode() + value + b"\r\n"
            for kind, place, value in sorted(parts, reverse=True)
        )
        kind = 'multipart/related; type="application/dicom+xml"; boundary=xyz'
        answer = web.post("/studies", body + b"--xyz--", kind)
        assert answer.status_code == 200, answer.text
        for one in made:
            path = f"/studies/{one.StudyInstanceUID}/series/{one.SeriesInstanceUID}/instances/{one.SOPInstanceUID}"
            assert pydicom.dcmread(io.BytesIO(web.get(path, "application/dicom").content)) == one

    def test_compressed_pixels_stay_compressed(self, web):
        made = image("pressed", "s", 1)
        found, _ = self.described(made, "bulk/1")
        stream = b"\xff\xd8 a stream \xff\xd9"
        kind = "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50"
        assert web.post("/studies", self.body([found], (kind, "bulk/1", stream)), self.KIND).status_code == 200
        path = f"/studies/{uid_of('pressed')}/series/{uid_of('pressed', 's')}/instances/{made.SOPInstanceUID}"
        assert web.get(f"{path}/frames/1", "image/jpeg").content.rstrip(b"\0") == stream

    @pytest.mark.parametrize(
        "described",
        ["nonsense", [1], [{"00080018": 5}], [{"7FE00010": {"vr": "OW", "BulkDataURI": "elsewhere"}}], [{}]],
    )
    def test_what_is_no_object_is_refused(self, web, described):
        answer = web.post("/studies", self.body(described), self.KIND)
        assert answer.status_code == 409
        assert reasons(answer, OTHER)[0] in (0xC000, 0x0117)

    def test_deeply_nested_metadata_are_refused(self, web):
        deep = "[" * 100_000 + "]" * 100_000
        body = b"--xyz\r\nContent-Type: application/dicom+json\r\n\r\n" + deep.encode() + b"\r\n--xyz--"
        assert web.post("/studies", body, self.KIND).status_code == 409
