"""PS3.18 10.4: the Retrieve transaction (WADO-RS)."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pydicom
import pytest
from benchmarks.exchange_objects import encapsulated, file_of, image, uid_of
from PIL import Image

STUDY, SERIES, INSTANCE = uid_of("mine"), uid_of("mine", "a"), uid_of("mine", "a", 1)
OF_STUDY, OF_SERIES = f"/studies/{STUDY}", f"/studies/{STUDY}/series/{SERIES}"
OF_INSTANCE = f"{OF_SERIES}/instances/{INSTANCE}"
DICOM = 'multipart/related; type="application/dicom"'
STORED = f"{DICOM}; transfer-syntax=*"
OCTETS = 'multipart/related; type="application/octet-stream"'
EXPLICIT, IMPLICIT, JLS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.80"
RAMP = (np.arange(3 * 20 * 16).reshape(3, 20, 16) * 5 % 4001).astype(np.uint16)


def path_of(*words: object) -> str:
    study, series, number = words
    return f"/studies/{uid_of(study)}/series/{uid_of(study, series)}/instances/{uid_of(study, series, number)}"


def report(name: str) -> bytes:
    concept, comment = pydicom.Dataset(), pydicom.Dataset()
    concept.CodeValue, concept.CodingSchemeDesignator, concept.CodeMeaning = "1", "99X", "Report"
    words = pydicom.Dataset()
    words.CodeValue, words.CodingSchemeDesignator, words.CodeMeaning = "2", "99X", "Comment"
    comment.ValueType, comment.ConceptNameCodeSequence, comment.TextValue = "TEXT", [words], "seen & read"
    made = image(name, "s", 1, Modality="SR", ValueType="CONTAINER", ConceptNameCodeSequence=[concept])
    made.ContentSequence = [comment]
    del made.PixelData, made.Rows, made.Columns
    return file_of(made)


def compressed(name: str, pixels: np.ndarray = RAMP, syntax: str = JLS) -> bytes:
    made = image(name, "s", 1, pixels=pixels)
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = EXPLICIT
    made.compress(syntax, generate_instance_uid=False)
    return file_of(made, syntax)


class TestInstances:
    """10.4.1.1.1: study, series and instance as DICOM files."""

    @pytest.mark.parametrize(("path", "count"), [(OF_STUDY, 4), (OF_SERIES, 2), (OF_INSTANCE, 1)])
    @pytest.mark.parametrize(
        "accept", [None, "*/*", "multipart/related", DICOM, STORED, f"{DICOM}; transfer-syntax={EXPLICIT}"]
    )
    def test_objects_come_as_they_were_stored(self, filled, parts, path, count, accept):
        answer = filled.get(path, accept)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(DICOM)
        assert int(answer.headers["content-length"]) == len(answer.content)
        found = parts(answer)
        assert len(found) == count
        assert file_of(image("mine", "a", 1, SeriesNumber=1)) in [content for _, content in found]
        assert {fields["content-type"] for fields, _ in found} == {f"application/dicom; transfer-syntax={EXPLICIT}"}

    def test_one_object_may_come_alone(self, filled):
        answer = filled.get(OF_INSTANCE, "application/dicom")
        assert answer.content == file_of(image("mine", "a", 1, SeriesNumber=1))
        assert filled.get(OF_SERIES, "application/dicom").status_code == 406

    def test_objects_may_come_as_an_archive(self, filled):
        answer = filled.get(OF_STUDY, "application/zip")
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            assert sorted(archive.namelist()) == [f"{n:06d}.dcm" for n in range(1, 5)]
            assert archive.read("000001.dcm") == file_of(image("mine", "a", 1, SeriesNumber=1))

    def test_a_long_answer_is_streamed_whole(self, web, parts):
        pixels = np.arange(1024 * 1024, dtype=np.uint16).reshape(1024, 1024)
        files = [file_of(image("long", "s", n, pixels=np.roll(pixels, n))) for n in range(1, 5)]
        for one in files:
            web.put(one)
        answer = web.get(f"/studies/{uid_of('long')}", STORED)
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert [content for _, content in parts(answer)] == files

    def test_implicit_vr_is_not_given_unless_it_is_asked_for(self, web, parts):
        # 8.7.3: implicit VR shall not be used in web services.
        stored = file_of(image("old", "s", 1), IMPLICIT)
        web.put(stored)
        ((fields, content),) = parts(web.get(path_of("old", "s", 1), DICOM))
        assert fields["content-type"].endswith(EXPLICIT)
        assert pydicom.dcmread(io.BytesIO(content)) == image("old", "s", 1)
        ((_, content),) = parts(web.get(path_of("old", "s", 1), STORED))
        assert content == stored

    def test_compressed_objects_come_decoded_or_as_they_are(self, web, parts):
        stored = compressed("squeezed")
        web.put(stored)
        path = path_of("squeezed", "s", 1)
        for accept in (STORED, f"{DICOM}; transfer-syntax={JLS}"):
            ((fields, content),) = parts(web.get(path, accept))
            assert (fields["content-type"], content) == (f"application/dicom; transfer-syntax={JLS}", stored)
        for accept in (DICOM, f"{DICOM}; transfer-syntax={EXPLICIT}"):
            ((fields, content),) = parts(web.get(path, accept))
            assert int(fields["content-length"]) == len(content)
            np.testing.assert_array_equal(pydicom.dcmread(io.BytesIO(content)).pixel_array, RAMP)
        assert web.get(path, f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.4.90").status_code == 406

    def test_what_cannot_be_decoded_is_given_as_it_is(self, web, parts):
        # 8.7.3: the default does not hold where the server has the pixels in lossy form only.
        stored = encapsulated(
            image("film", "s", 1, pixels=np.zeros((8, 8), np.uint8)), [b"film"], "1.2.840.10008.1.2.4.102"
        )
        web.put(stored)
        ((_, content),) = parts(web.get(path_of("film", "s", 1), DICOM))
        assert content == stored
        assert web.get(path_of("film", "s", 1), f"{DICOM}; transfer-syntax={EXPLICIT}").status_code == 406


class TestMetadata:
    """10.4.1.1.2 (metadata resources) and annex F."""

    @pytest.mark.parametrize(("path", "count"), [(OF_STUDY, 4), (OF_SERIES, 2), (OF_INSTANCE, 1)])
    def test_metadata_are_the_attributes_without_pixels(self, filled, path, count):
        answer = filled.get(f"{path}/metadata", "application/dicom+json")
        assert answer.headers["content-type"] == "application/dicom+json"
        found = answer.json()
        assert len(found) == count
        one = next(one for one in found if one["00080018"]["Value"] == [INSTANCE])
        without = image("mine", "a", 1, SeriesNumber=1)
        url = one.pop("7FE00010")["BulkDataURI"]
        del without.PixelData
        assert pydicom.Dataset.from_json(one) == without
        assert url.startswith(f"http://127.0.0.1:8080/dicomweb{OF_INSTANCE}/")
        assert (
            filled.client.get(url, headers={"accept": "application/octet-stream"}).content
            == image("mine", "a", 1).PixelData
        )

    def test_metadata_may_be_documents(self, filled, parts):
        answer = filled.get(f"{OF_SERIES}/metadata", 'multipart/related; type="application/dicom+xml"')
        found = parts(answer)
        assert len(found) == 2
        assert b'keyword="SOPInstanceUID"' in found[0][1]
        for fields, content in found:  # table 8.6.1-1
            assert int(fields["content-length"]) == len(content)
            assert fields["content-location"].endswith("/metadata")

    def test_metadata_are_compressed_where_that_is_accepted(self, filled):
        squeezed = filled.get(f"{OF_STUDY}/metadata", headers={"accept-encoding": "gzip, deflate"})
        assert squeezed.headers["content-encoding"] == "gzip"
        assert squeezed.json() == filled.get(f"{OF_STUDY}/metadata", headers={"accept-encoding": "identity"}).json()

    def test_private_and_long_values_are_bulk_data(self, web):
        made = image("bulky", "s", 1)
        block = made.private_block(0x0099, "BINGCHENG TEST", create=True)
        value = bytes(range(256)) * 8
        block.add_new(0x01, "OB", value)
        web.put(file_of(made))
        (told,) = web.get(f"{path_of('bulky', 's', 1)}/metadata").json()
        url = told["00991001"]["BulkDataURI"]
        assert web.client.get(url, headers={"accept": "application/octet-stream"}).content == value

    @pytest.mark.parametrize("field", ["wangBulkDataURI", '"BulkDataURI":"x', "'BulkDataURI':'x"])
    def test_words_that_look_like_addresses_stay_words(self, web, field):
        web.put(file_of(image(f"odd {field}", "s", 1, StudyDescription=field)))
        (told,) = json.loads(web.get(f"/studies/{uid_of(f'odd {field}')}/metadata").content)
        assert told["00081030"]["Value"] == [field]


class TestFrames:
    """10.4.1.1.3 (frames) with the media types of table 8.7.3-5."""

    @pytest.mark.parametrize(
        "accept",
        [
            None,
            "*/*",
            OCTETS,
            f"{OCTETS}; transfer-syntax=*",
            "multipart/related; type=application/octet-stream; transfer-syntax=*",
        ],
    )
    def test_native_frames_are_octets(self, web, parts, accept):
        web.put(file_of(image("many", "s", 1, pixels=RAMP)))
        answer = web.get(f"{path_of('many', 's', 1)}/frames/3,1", accept)
        assert answer.headers["content-type"].startswith(OCTETS)
        found = parts(answer)
        assert [content for _, content in found] == [RAMP[2].tobytes(), RAMP[0].tobytes()]
        assert found[0][0]["content-type"] == f"application/octet-stream; transfer-syntax={EXPLICIT}"
        assert found[0][0]["content-location"].endswith("/frames/3")

    @pytest.mark.parametrize("syntax", [IMPLICIT, "1.2.840.10008.1.2.1.99"])
    def test_frames_of_other_native_syntaxes_are_the_same(self, web, parts, syntax):
        web.put(file_of(image(syntax, "s", 1, pixels=RAMP), syntax))
        ((_, content),) = parts(web.get(f"{path_of(syntax, 's', 1)}/frames/2"))
        assert content == RAMP[1].tobytes()

    @pytest.mark.parametrize(
        ("accept", "kind", "decoded"),
        [
            ("*/*", "image/jls", False),
            ('multipart/related; type="image/jls"', "image/jls", False),
            (f'multipart/related; type="image/jls"; transfer-syntax={JLS}', "image/jls", False),
            ('multipart/related; type="image/x-jls"', "image/x-jls", False),
            (f"{OCTETS}; transfer-syntax=*", "image/jls", False),
            (OCTETS, "application/octet-stream", True),
            (f"{OCTETS}; transfer-syntax={EXPLICIT}", "application/octet-stream", True),
        ],
    )
    def test_compressed_frames_come_as_they_are_or_decoded(self, web, parts, accept, kind, decoded):
        stored = compressed("squeezed")
        web.put(stored)
        answer = web.get(f"{path_of('squeezed', 's', 1)}/frames/2", accept)
        ((fields, content),) = parts(answer)
        assert fields["content-type"] == f"{kind}; transfer-syntax={EXPLICIT if decoded else JLS}"
        if decoded:
            assert content == RAMP[1].tobytes()
        else:
            assert content in stored

    def test_one_frame_may_come_alone_and_in_part(self, filled):
        whole = filled.get(f"{OF_INSTANCE}/frames/1", "application/octet-stream")
        assert whole.content == image("mine", "a", 1).PixelData
        part = filled.get(f"{OF_INSTANCE}/frames/1", "application/octet-stream", headers={"range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, whole.content[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
        last = filled.get(f"{OF_INSTANCE}/frames/1", "application/octet-stream", headers={"range": "bytes=-5"})
        assert last.content == whole.content[-5:]
        far = filled.get(f"{OF_INSTANCE}/frames/1", "application/octet-stream", headers={"range": "bytes=99999-"})
        assert (far.status_code, far.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")
        assert filled.get(f"{OF_INSTANCE}/frames/1,1", "application/octet-stream").status_code == 406

    @pytest.mark.parametrize(("frames", "status"), [("0", 400), ("x", 400), ("1,", 400), ("2", 404), ("1,2", 404)])
    def test_frames_that_are_none_are_refused(self, filled, frames, status):
        assert filled.get(f"{OF_INSTANCE}/frames/{frames}").status_code == status

    def test_what_has_no_pixels_has_no_frames(self, web):
        made = image("words", "s", 1)
        del made.PixelData
        web.put(file_of(made))
        assert web.get(f"{path_of('words', 's', 1)}/frames/1").status_code == 404
        assert web.get(f"{path_of('words', 's', 1)}/rendered").status_code == 404

    def test_all_compressed_frames_are_the_bulk_data_of_the_pixels(self, web, parts):
        web.put(compressed("squeezed"))
        (told,) = web.get(f"{path_of('squeezed', 's', 1)}/metadata").json()
        url = told["7FE00010"]["BulkDataURI"]
        found = parts(web.client.get(url, headers={"accept": OCTETS}))
        assert [content for _, content in found] == [frame.tobytes() for frame in RAMP]

    @pytest.mark.parametrize("path", ["7FE00011", "..%2fx", "0040A730/0", "0040A730/0/00081150", "%00", "7fe0"])
    def test_bulk_data_that_are_none_are_not_found(self, filled, path):
        assert filled.get(f"{OF_INSTANCE}/bulk/{path}").status_code == 404


class TestAllBulk:
    """Table 10.3-2: bulk data of study, series and instance, and of their pixels."""

    @pytest.mark.parametrize(("path", "count"), [(OF_STUDY, 4), (OF_SERIES, 2), (OF_INSTANCE, 1)])
    @pytest.mark.parametrize("what", ["bulkdata", "pixeldata"])
    def test_each_value_is_a_part_that_says_where_it_is(self, filled, parts, path, count, what):
        answer = filled.get(f"{path}/{what}", OCTETS)
        assert answer.headers["content-type"].startswith(OCTETS)
        found = parts(answer)
        assert len(found) == count
        for fields, content in found:
            assert fields["content-type"] == f"application/octet-stream; transfer-syntax={EXPLICIT}"
            assert int(fields["content-length"]) == len(content)
            alone = filled.client.get(fields["content-location"], headers={"accept": "application/octet-stream"})
            assert alone.content == content

    def test_pixels_are_not_all_bulk_data(self, web, parts):
        made = image("heavy", "s", 1)
        block = made.private_block(0x0099, "BINGCHENG TEST", create=True)
        block.add_new(0x01, "OB", bytes(4096))
        web.put(file_of(made))
        assert len(parts(web.get(f"/studies/{uid_of('heavy')}/bulkdata", OCTETS))) == 2
        ((fields, content),) = parts(web.get(f"/studies/{uid_of('heavy')}/pixeldata", OCTETS))
        assert (fields["content-location"].rpartition("/")[2], content) == ("7FE00010", made.PixelData)

    def test_compressed_pixels_come_frame_by_frame(self, web, parts):
        stored = compressed("squeezed")
        web.put(stored)
        path = f"{path_of('squeezed', 's', 1)}/pixeldata"
        assert [content for _, content in parts(web.get(path, OCTETS))] == [frame.tobytes() for frame in RAMP]
        for fields, content in parts(web.get(path, f"{OCTETS}; transfer-syntax=*")):
            assert fields["content-type"] == f"image/jls; transfer-syntax={JLS}"
            assert content in stored

    def test_what_has_none_has_no_such_resource(self, web):
        web.put(report("told"))
        assert web.get(f"{path_of('told', 's', 1)}/bulkdata", OCTETS).status_code == 404


class TestRendered:
    """10.4.1.1.4 and 8.3.5: rendered resources; 10.4.1.1.5: thumbnails."""

    @pytest.mark.parametrize(
        ("accept", "form"),
        [
            (None, "JPEG"),
            ("image/jpeg", "JPEG"),
            ("image/png", "PNG"),
            ("image/gif", "GIF"),  # table 8.7.4-1
            ("image/*;q=0.5, image/png", "PNG"),
        ],
    )
    def test_an_instance_is_a_picture(self, filled, accept, form):
        answer = filled.get(f"{OF_INSTANCE}/rendered?viewport=40,40", accept)
        assert answer.headers["content-type"] == f"image/{form.lower()}"
        shown = Image.open(io.BytesIO(answer.content))
        assert (shown.format, max(shown.size)) == (form, 40)

    def test_the_window_is_the_one_that_is_asked_for(self, filled):
        answer = filled.get(f"{OF_INSTANCE}/rendered?window=-1000,1,linear", "image/png")
        values = np.frombuffer(image("mine", "a", 1).PixelData, "<u2").reshape(16, 12).astype(int) - 1024
        shown = np.asarray(Image.open(io.BytesIO(answer.content)))
        np.testing.assert_array_equal(shown, np.where(values > -1000.5, 255, 0))

    def test_frames_are_pictures_each(self, web, parts):
        web.put(file_of(image("many", "s", 1, pixels=RAMP)))
        one = web.get(f"{path_of('many', 's', 1)}/frames/2/rendered", "image/jpeg")
        several = web.get(f"{path_of('many', 's', 1)}/frames/2,3/rendered", 'multipart/related; type="image/jpeg"')
        assert parts(several)[0][1] == one.content
        assert parts(several)[1][0]["content-location"].endswith("/frames/3/rendered")
        assert web.get(f"{path_of('many', 's', 1)}/rendered").content == one.content  # the middle one

    @pytest.mark.parametrize("path", [OF_STUDY, OF_SERIES, OF_INSTANCE, f"{OF_INSTANCE}/frames/1"])
    def test_thumbnails_are_small(self, filled, path):
        answer = filled.get(f"{path}/thumbnail")
        assert max(Image.open(io.BytesIO(answer.content)).size) == 160
        answer = filled.get(f"{path}/thumbnail?viewport=32,32")
        assert max(Image.open(io.BytesIO(answer.content)).size) == 32

    @pytest.mark.parametrize("query", ["window=1", "viewport=a,b", "quality=0", "viewport=10,10,0,0,999,999"])
    def test_parameters_that_make_no_sense_are_bad_requests(self, filled, query):
        assert filled.get(f"{OF_INSTANCE}/rendered?{query}").status_code == 400

    def test_a_thumbnail_of_frames_is_a_single_image(self, web):
        # 10.4.1.1.4: only a single image shall be returned.
        web.put(file_of(image("many", "s", 1, pixels=RAMP)))
        answer = web.get(f"{path_of('many', 's', 1)}/frames/1,2,3/thumbnail")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.content == web.get(f"{path_of('many', 's', 1)}/frames/2/thumbnail").content

    @pytest.mark.parametrize(("path", "count"), [(OF_STUDY, 4), (OF_SERIES, 2)])
    @pytest.mark.parametrize("form", ["jpeg", "png", "gif"])
    def test_studies_and_series_are_pictures_of_their_images(self, filled, parts, path, count, form):
        answer = filled.get(f"{path}/rendered?viewport=40,40", f'multipart/related; type="image/{form}"')
        assert answer.status_code == 200
        found = parts(answer)
        assert len(found) == count
        for fields, content in found:
            assert fields["content-type"] == f"image/{form}"
            alone = filled.client.get(
                fields["content-location"] + "?viewport=40,40", headers={"accept": f"image/{form}"}
            )
            assert alone.content == content

    def test_what_has_no_picture_is_left_out_of_a_study_and_that_is_said(self, web, parts):
        # Table 10.4.3-1: 206 is for some but not all of the resources.
        web.put(file_of(image("mixed", "s", 1)))
        words = image("mixed", "w", 1, Modality="SR")
        del words.PixelData, words.Rows, words.Columns
        web.put(file_of(words))
        answer = web.get(f"/studies/{uid_of('mixed')}/rendered", 'multipart/related; type="image/png"')
        assert (answer.status_code, len(parts(answer))) == (206, 1)
        assert web.get(f"/studies/{uid_of('mixed')}/series/{uid_of('mixed', 'w')}/rendered").status_code == 404

    def test_a_damaged_image_does_not_keep_the_others_out(self, web, parts):
        web.put(file_of(image("hurt", "s", 1)))
        broken = image("hurt", "s", 2, Rows=5000)
        web.put(file_of(broken))
        assert web.get(f"{path_of('hurt', 's', 2)}/rendered").status_code == 406
        answer = web.get(f"/studies/{uid_of('hurt')}/rendered", 'multipart/related; type="image/jpeg"')
        assert (answer.status_code, len(parts(answer))) == (206, 1)

    @pytest.mark.parametrize("words", ["patient", "technique", "patient,technique"])
    def test_words_are_burned_in_where_they_are_asked_for(self, filled, words):
        plain = filled.get(f"{OF_INSTANCE}/rendered?viewport=400,400", "image/png")
        answer = filled.get(f"{OF_INSTANCE}/rendered?viewport=400,400&annotation={words}", "image/png")
        assert answer.content != plain.content
        assert "warning" not in answer.headers

    def test_words_that_are_not_known_are_left_out_and_that_is_said(self, filled):
        answer = filled.get(f"{OF_INSTANCE}/rendered?annotation=weather", "image/png")
        assert answer.content == filled.get(f"{OF_INSTANCE}/rendered", "image/png").content
        assert answer.headers["warning"].endswith('"The following annotation values are not supported: weather"')

    @pytest.mark.parametrize(
        ("accept", "kind", "words"),
        [
            ("*/*", "text/html; charset=utf-8", b"<li>Comment: seen &amp; read</li>"),
            ("text/html", "text/html; charset=utf-8", b"<h1>Report</h1>"),
            ("text/plain", "text/plain; charset=utf-8", b"\n  Comment: seen & read\n"),
            ("text/xml", "text/xml; charset=utf-8", b"<NativeDicomModel"),
        ],
    )
    def test_a_report_is_text(self, web, accept, kind, words):
        # Table 8.7.4-1: what the category Text is rendered as.
        web.put(report("told"))
        answer = web.get(f"{path_of('told', 's', 1)}/rendered", accept)
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert words in answer.content
        assert "script" not in answer.headers["content-security-policy"]
        assert web.get(f"{path_of('told', 's', 1)}/rendered", "image/png").status_code == 406

    def test_a_document_within_an_object_is_itself(self, web):
        made = image("paper", "s", 1, MIMETypeOfEncapsulatedDocument="application/pdf")
        del made.PixelData, made.Rows, made.Columns
        made.EncapsulatedDocument = b"%PDF-1.7 end"
        web.put(file_of(made))
        answer = web.get(f"{path_of('paper', 's', 1)}/rendered", "application/pdf")
        assert (answer.headers["content-type"], answer.content) == ("application/pdf", b"%PDF-1.7 end")

    def test_what_is_no_picture_is_not_acceptable(self, web):
        web.put(
            encapsulated(image("film", "s", 1, pixels=np.zeros((8, 8), np.uint8)), [b"film"], "1.2.840.10008.1.2.4.102")
        )
        assert web.get(f"{path_of('film', 's', 1)}/rendered").status_code == 406


RESOURCES = [
    *(OF_STUDY, OF_SERIES, OF_INSTANCE, f"{OF_STUDY}/metadata", f"{OF_SERIES}/metadata", f"{OF_INSTANCE}/metadata"),
    *(f"{OF_INSTANCE}/frames/1", f"{OF_INSTANCE}/rendered", f"{OF_STUDY}/thumbnail", f"{OF_INSTANCE}/bulk/7FE00010"),
    *(f"{OF_STUDY}/rendered", f"{OF_SERIES}/rendered", f"{OF_STUDY}/bulkdata", f"{OF_SERIES}/pixeldata"),
]


@pytest.mark.parametrize("path", RESOURCES)
class TestEverything:
    """8.5 and 8.4: what holds for every resource."""

    def test_a_copy_is_private_and_validated(self, filled, path):
        first = filled.get(path)
        assert first.headers["cache-control"] == "private, no-cache"
        again = filled.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert filled.get(path, headers={"if-none-match": '"other"'}).status_code == 200

    def test_other_media_types_are_other_copies(self, filled, path):
        assert filled.get(path, "application/x-nothing").status_code == 406
        assert filled.get(path, "nonsense").status_code == 406  # 8.7.7: what is not valid is ignored
        assert filled.get(path, "nonsense, */*").status_code == 200

    def test_what_does_not_exist_is_not_found(self, filled, path):
        assert filled.get(path.replace(STUDY, "1.2.3")).status_code == 404
        if SERIES in path:
            assert filled.get(path.replace(SERIES, uid_of("mine", "no such series"))).status_code == 404
            elsewhere = path.replace(SERIES, uid_of("mine", "b"))
            assert filled.get(elsewhere).status_code == (404 if INSTANCE in path else 200)

    @pytest.mark.parametrize("uid", ["x", "1.2.3;x", "1" * 65, "..%5C..", "%2e%2e%2fx", "1.2'"])
    def test_what_is_no_uid_is_a_bad_request(self, filled, path, uid):
        answer = filled.get(path.replace(STUDY, uid))
        assert answer.status_code in ((400, 404) if "%2f" in uid else (400,))
