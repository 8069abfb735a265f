"""The index finds every DICOM instance, whatever its name and place, and says what it could not read."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian
from tests.dicom.making import image, save, save_series

from bingcheng.dicom.index.scan import Index, index


def codes(found: Index) -> list[str]:
    return sorted(refusal.code for refusal in found.refusals)


def test_finds_files_by_content_in_nested_folders_without_extension(tmp_path: Path) -> None:
    save(image(0), tmp_path / "a" / "b" / "IM0001")
    save(image(1), tmp_path / "a" / "picture.jpg")
    found = index([tmp_path])
    assert [header.subject for header in found.headers] == ["a/picture.jpg", "a/b/IM0001"]
    assert found.refusals == ()


def test_reads_what_grouping_needs(tmp_path: Path) -> None:
    save(image(3), tmp_path / "x")
    (header,) = index([tmp_path]).headers
    assert header.position_mm == (-10.0, -20.0, 7.5)
    assert header.image is not None
    assert header.image.spacing_mm == (0.5, 0.75)
    assert (header.image.rows, header.image.columns, header.image.thickness_mm) == (6, 5, 2.5)
    assert header.instance_number == 4
    assert header.acquired_at is not None
    assert header.acquired_at.isoformat() == "2024-03-01T10:00:03"
    assert header.series.patient.patient_id == "P1"
    assert header.has_pixels


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_reads_every_encoding_of_a_header_alike(tmp_path: Path, syntax: pydicom.uid.UID) -> None:
    save(image(2), tmp_path / "plain" / "x")
    other = image(2)
    other.file_meta.TransferSyntaxUID = syntax
    pixels = other.pixel_array
    if syntax == ExplicitVRBigEndian:
        other.PixelData = pixels.astype(">i2").tobytes()
    (tmp_path / "other").mkdir()
    pydicom.dcmwrite(
        tmp_path / "other" / "x",
        other,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
        enforce_file_format=True,
    )
    (one,), (two,) = index([tmp_path / "plain"]).headers, index([tmp_path / "other"]).headers
    assert one.series == two.series
    assert one.position_mm == two.position_mm
    assert one.image is not None
    assert two.image is not None
    assert (one.image.rows, one.image.spacing_mm) == (two.image.rows, two.image.spacing_mm)
    assert two.defect is None


@pytest.mark.parametrize("implicit", [True, False])
def test_reads_a_file_without_preamble_and_meta_header(tmp_path: Path, implicit: bool) -> None:
    dataset = image(1)
    del dataset.file_meta
    dataset.preamble = None
    pydicom.dcmwrite(
        tmp_path / "bare.dcm", dataset, implicit_vr=implicit, little_endian=True, enforce_file_format=False
    )
    found = index([tmp_path])
    assert found.refusals == ()
    assert found.headers[0].position_mm == (-10.0, -20.0, 2.5)


def test_names_in_chinese_are_read_in_their_character_set(tmp_path: Path) -> None:
    dataset = image(0, SpecificCharacterSet="GB18030")
    dataset.InstitutionName = "北京冰城医院"
    dataset.SeriesDescription = "腹部增强"
    save(dataset, tmp_path / "x")
    (header,) = index([tmp_path]).headers
    assert header.series.institution == "北京冰城医院"
    assert header.series.series_description == "腹部增强"


def test_bad_files_are_refused_by_name_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = save(image(0), tmp_path / "good.dcm")
    whole = save(image(1), tmp_path / "pixels.dcm").read_bytes()
    (tmp_path / "pixels.dcm").write_bytes(whole[:-20])
    (tmp_path / "header.dcm").write_bytes(whole[:600])
    (tmp_path / "zero.dcm").write_bytes(b"")
    (tmp_path / "text.dcm").write_text("This is a letter, not an image." * 20)
    save(image(2, PixelData=None), tmp_path / "none.dcm")
    save(image(3, Rows=7), tmp_path / "rows.dcm")
    save(image(4, StudyInstanceUID=None), tmp_path / "lost.dcm")
    found = index([tmp_path])
    assert [header.subject for header in found.headers if header.defect is None] == [good.name]
    assert {refusal.subject: refusal.code for refusal in found.refusals} == {
        "pixels.dcm": "dicom.truncated",
        "header.dcm": "dicom.broken-header",
        "zero.dcm": "dicom.empty-file",
        "text.dcm": "dicom.not-dicom",
        "none.dcm": "dicom.missing-pixels",
        "rows.dcm": "dicom.wrong-pixel-length",
        "lost.dcm": "dicom.missing-uid",
    }


def test_files_that_claim_nothing_are_ignored_and_claims_are_folded(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("hello there, this is text")
    (tmp_path / ".hidden.dcm").write_text("junk")
    (tmp_path / "Thumbs.db").write_bytes(b"junk")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "x.dcm").write_text("junk")
    for name in "abc":
        (tmp_path / f"{name}.dcm").write_text("text that only claims to be an image")
    (refusal,) = index([tmp_path]).refusals
    assert (refusal.code, refusal.count, refusal.subject) == ("dicom.not-dicom", 3, "a.dcm")


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert codes(index([tmp_path / "nowhere"])) == ["dicom.path-not-found"]


def test_no_folder_above_the_given_one_stands_in_a_refusal(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "miller"
    folder.mkdir(parents=True)
    (folder / "x.dcm").write_text("a letter, no image, but it says so")
    assert [refusal.subject for refusal in index([folder]).refusals] == ["x.dcm"]
    assert [refusal.subject for refusal in index([folder / "x.dcm"]).refusals] == ["x.dcm"]


def test_what_lies_behind_a_link_to_another_folder_is_not_left_out_in_silence(tmp_path: Path) -> None:
    save(image(0), tmp_path / "given" / "exam" / "x.dcm")
    save(image(1), tmp_path / "other" / "y.dcm")
    (tmp_path / "given" / "a").symlink_to(tmp_path / "other")
    (tmp_path / "given" / "exam" / "b").symlink_to(tmp_path)
    (tmp_path / "given" / "exam" / "lost").symlink_to(tmp_path / "disk that is not there")
    (tmp_path / "given" / "exam" / "around").symlink_to("around")
    (tmp_path / "given" / ".hidden").symlink_to(tmp_path / "other")
    found = index([tmp_path / "given"])
    assert [header.subject for header in found.headers] == ["exam/x.dcm"]
    told = {refusal.code: (refusal.subject, refusal.count) for refusal in found.refusals}
    assert told == {"dicom.linked-folder": ("a", 2), "dicom.dead-link": ("exam/around", 2)}


def test_a_link_to_what_is_read_anyway_leaves_nothing_out(tmp_path: Path) -> None:
    save(image(0), tmp_path / "given" / "2026" / "x.dcm")
    save(image(1), tmp_path / "other" / "y.dcm")
    (tmp_path / "given" / "latest").symlink_to("2026")
    (tmp_path / "given" / "more").symlink_to(tmp_path / "other")
    (tmp_path / "link").symlink_to(tmp_path / "given")
    found = index([tmp_path / "link", tmp_path / "other"])
    assert len(found.headers) == 2
    assert found.refusals == ()


def test_nothing_is_said_of_a_link_that_is_not_to_be_entered(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "ours").symlink_to(tmp_path)
    assert index([tmp_path / "given"], enter=lambda folder: folder.name != "ours").refusals == ()


def test_reads_zip_archives_and_refuses_broken_ones(tmp_path: Path) -> None:
    path = save(image(0), tmp_path / "in" / "x.dcm")
    with zipfile.ZipFile(tmp_path / "good.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "deep/x.dcm")
        archive.writestr("deep/notes.txt", "no image in here")
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 but nothing follows")
    path.unlink()
    found = index([tmp_path])
    assert [header.subject for header in found.headers] == ["good.zip!deep/x.dcm"]
    assert codes(found) == ["dicom.broken-archive"]


def test_a_dicomdir_adds_only_what_is_missing(tmp_path: Path) -> None:
    medium = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
    for name in ("77654033/CT2/17106", "77654033/CT2/17136"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((medium / name).read_bytes())
    (tmp_path / "DICOMDIR").write_bytes((medium / "DICOMDIR").read_bytes())
    for given in (tmp_path, tmp_path / "DICOMDIR"):
        found = index([given])
        assert [header.subject for header in found.headers] == ["77654033/CT2/17106", "77654033/CT2/17136"]
        # The directory names 31 files of which two are there.
        assert [(refusal.code, refusal.count) for refusal in found.refusals] == [("dicom.missing-file", 29)]


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    path = save(image(0), tmp_path / "x.dcm")
    assert len(index([tmp_path, path, tmp_path]).headers) == 1


def test_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    for number in range(260):
        save(image(number, Rows=5 if number == 7 else 6), tmp_path / f"{number}")
    (tmp_path / "x.dcm").write_text("a letter, no image, but it says so")
    assert index([tmp_path], workers=2) == index([tmp_path], workers=1)


def test_tells_how_far_it_is(tmp_path: Path) -> None:
    save_series(tmp_path, 3)
    told: list[tuple[int, int]] = []
    index([tmp_path], progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (3, 3)]


@pytest.mark.parametrize(
    ("manufacturer", "block", "element", "vr", "value"),
    [
        ("SIEMENS", "SIEMENS MR HEADER", (0x0019, 0x0C), "IS", 800),
        ("GE MEDICAL SYSTEMS", "GEMS_PARM_01", (0x0043, 0x39), "IS", [1000000800, 8, 0, 0]),
        ("Philips Medical Systems", "Philips Imaging DD 001", (0x2001, 0x03), "FL", 800.0),
        ("UIH", "Image Private Header", (0x0065, 0x09), "FD", 800.0),
    ],
)
def test_b_value_from_where_each_vendor_writes_it(
    tmp_path: Path, manufacturer: str, block: str, element: tuple[int, int], vr: str, value: object
) -> None:
    dataset = image(0, modality="MR", Manufacturer=manufacturer)
    # Another creator has the first block, as after a de-identifier or a second private writer.
    dataset.private_block(element[0], "SOMEONE ELSE", create=True).add_new(0x01, "LO", "x")
    dataset.private_block(element[0], block, create=True).add_new(element[1], vr, value)
    save(dataset, tmp_path / "x")
    assert index([tmp_path]).headers[0].b_value == 800.0


def test_b_value_from_the_name_of_an_old_siemens_sequence(tmp_path: Path) -> None:
    save(image(0, modality="MR", Manufacturer="SIEMENS", SequenceName="*ep_b1000t"), tmp_path / "x")
    assert index([tmp_path]).headers[0].b_value == 1000.0


def test_every_test_file_of_pydicom_is_read_or_refused_without_a_warning() -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = index([folder])
    read = {header.subject for header in found.headers}
    refused = {refusal.subject for refusal in found.refusals}
    named = {path.relative_to(folder).as_posix() for path in folder.rglob("*.dcm")}
    silent = named - read - refused
    assert silent == {"dicomdirtests/DICOMDIR-empty.dcm"}  # a DICOMDIR names no instance of its own
