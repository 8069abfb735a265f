"""The command ``bingcheng deidentify`` as a person sees it."""

from __future__ import annotations

import os
import shutil
import warnings
import zipfile
from pathlib import Path

import pytest
from pydicom import dcmread
from tests.archive.deidentify.making import US, ct, written
from tests.archive.deidentify.pictures import grey


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "Quixworth"
    made.mkdir()
    (made / "one.dcm").write_bytes(written(ct()))
    (made / "two.dcm").write_bytes(written(ct(SOPInstanceUID="1.2.276.5.5.5.5", InstanceNumber="4")))
    return made


def add(folder, name, dataset):
    (folder / name).write_bytes(written(dataset))


def results(tmp_path):
    return sorted((tmp_path / "out").rglob("*.dcm"))


def test_a_folder_is_cleaned_into_another(bingcheng, folder, tmp_path):
    said = bingcheng("deidentify", folder, "out", "--profile", "teaching", "--key", "my.key")
    assert said.code == 0, said.err
    assert "2 of 2 files are clean, of 1 patients." in said.out
    files = results(tmp_path)
    assert len(files) == 2
    for path in files:
        found = dcmread(path)
        assert path.name == f"{found.SOPInstanceUID}.dcm"
        assert path.parts[-4:-1] == (found.PatientID, found.StudyInstanceUID, found.SeriesInstanceUID)
        assert "uixworth" not in str(path.relative_to(tmp_path)) + said.out
        assert b"uixworth" not in path.read_bytes()
    assert (tmp_path / "my.key").stat().st_mode & 0o077 == 0


def test_the_same_key_continues_and_another_begins_anew(bingcheng, folder, tmp_path):
    for out, key in (("out", "my.key"), ("again", "my.key"), ("other", "other.key")):
        assert bingcheng("deidentify", folder, out, "--key", key).code == 0
    named = [sorted(p.name for p in (tmp_path / out).rglob("*.dcm")) for out in ("out", "again", "other")]
    assert named[0] == named[1]
    assert not set(named[0]) & set(named[2])


def test_a_preview_shows_everything_and_writes_nothing(bingcheng, folder, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    said = bingcheng("deidentify", folder, "--key", "my.key", "--preview", "--json")
    assert said.code == 0, said.err
    (first, _) = said.json["previews"]
    rows = {row["path"]: row for row in first["changes"]}
    assert rows["(0010,0010)"]["before"] == "Quixworth^Zebediah"
    assert rows["(0010,0010)"]["after"].startswith("P-")
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "my.key"])
    shown = bingcheng("deidentify", folder, "--key", "my.key", "--preview")
    assert "Quixworth" in shown.out
    assert "Nothing was written" in shown.out


def test_what_a_person_must_see_waits_and_leaves_after_their_decision(bingcheng, folder, tmp_path):
    add(folder, "us.dcm", ct(SOPClassUID=US, Modality="US", SOPInstanceUID="1.2.276.8.1"))
    add(folder, "text.dcm", grey(SOPInstanceUID="1.2.276.8.2"))
    said = bingcheng("deidentify", folder, "out", "--key", "my.key", "--pictures", "look", "--json")
    assert said.code == 1
    assert said.json["done"] == 2
    (trouble,) = said.json["troubles"]
    assert (trouble["code"], trouble["state"]) == ("archive.pixels-need-a-person", "person")
    assert {one["uid"] for one in trouble["files"]} == {"1.2.276.8.1", "1.2.276.8.2"}
    assert sorted(p.name for p in (tmp_path / "look").iterdir()) == ["1.2.276.8.1.png", "1.2.276.8.2.png"]
    (tmp_path / "seen.toml").write_text(
        '[[object]]\nuid = "1.2.276.8.1"\nregions = []\n[[object]]\nuid = "1.2.276.8.2"\nregions = [[0, 0, 160, 30]]\n',
        encoding="utf-8",
    )
    said = bingcheng("deidentify", folder, "out", "--key", "my.key", "--approve", "seen.toml")
    assert said.code == 0, said.err
    assert len(results(tmp_path)) == 4


def test_refused_files_are_named_with_the_reason_and_the_others_are_cleaned(bingcheng, folder, tmp_path):
    (folder / "notes.txt").write_text("Dear colleague", encoding="utf-8")
    said = bingcheng("deidentify", folder, "out", "--key", "my.key")
    assert said.code == 1
    assert "can't be read as a DICOM object" in said.out
    assert "notes.txt" in said.out
    assert len(results(tmp_path)) == 2


def test_a_file_that_the_disk_does_not_give_keeps_none_of_the_others(bingcheng, folder, tmp_path):
    memory = Path("/proc/self/mem")  # a file whose beginning nobody can read, not even root
    if not memory.exists():
        pytest.skip("only Linux has such a file")
    (folder / "lost.dcm").symlink_to(memory)
    said = bingcheng("deidentify", folder, "out", "--key", "my.key", "--json")
    assert said.code == 1
    assert [(one["code"], len(one["files"])) for one in said.json["troubles"]] == [("cli.deidentify-cant-read", 1)]
    assert len(results(tmp_path)) == 2


def test_what_lies_behind_links_and_in_closed_folders_is_not_left_out_in_silence(bingcheng, folder, tmp_path):
    (tmp_path / "other").mkdir()
    (folder / "linked").symlink_to(tmp_path / "other")
    (folder / "lost.dcm").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe")
    (folder / "waiting").symlink_to(folder / "pipe")
    at = os.open(folder, os.O_RDONLY)
    for _ in range(20):  # a path longer than the system takes: what root may not open either
        os.mkdir("d" * 250, dir_fd=at)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    said = bingcheng("deidentify", folder, "out", "--key", "my.key", "--json")
    assert said.code == 1, said.err
    told = {one["code"]: len(one["files"]) for one in said.json["troubles"]}
    assert told == {"cli.deidentify-link": 1, "cli.deidentify-cant-read": 2, "cli.deidentify-cant-enter": 1}
    assert len(results(tmp_path)) == 2
    shutil.rmtree(folder / ("d" * 250))


def zipped(path, members):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of names that stand twice
        for name, data in members:
            archive.writestr(name, data)


def test_archives_are_read_as_folders_are(bingcheng, folder, tmp_path):
    files = [path.read_bytes() for path in sorted(folder.iterdir())]
    zipped(tmp_path / "Quixworth.ZIP", [("deep/Quixworth.dcm", files[0]), ("deep/", b""), ("../other", files[1])])
    said = bingcheng("deidentify", tmp_path / "Quixworth.ZIP", "out", "--key", "my.key")
    assert said.code == 0, said.err
    assert "2 of 2 files are clean, of 1 patients." in said.out
    assert bingcheng("deidentify", folder, "other", "--key", "my.key").code == 0
    first, second = ({one.name: one.read_bytes() for one in (tmp_path / at).rglob("*.dcm")} for at in ("out", "other"))
    assert first == second
    assert not [path for path in (tmp_path / "out").rglob("*") if "uixworth" in path.name]


def test_archives_within_a_folder_are_read_and_what_cannot_be_is_named(bingcheng, folder, tmp_path):
    ours, inner = written(ct(SOPInstanceUID="1.2.276.5.5.5.6")), tmp_path / "inner.zip"
    zipped(inner, [("one.dcm", ours)])
    zipped(folder / "a.zip", [("good.dcm", ours), ("notes.txt", b"a letter"), ("twice.dcm", b"1"), ("twice.dcm", b"2")])
    zipped(folder / "b.zip", [("inner.zip", inner.read_bytes())])
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 but nothing follows")
    (folder / "image.zip").write_bytes(written(ct(SOPInstanceUID="1.2.276.5.5.5.7")))
    data = bytearray((folder / "a.zip").read_bytes())
    data[60] ^= 0xFF  # within the first file
    (folder / "damaged.zip").write_bytes(data)
    said = bingcheng("deidentify", folder, "out", "--key", "my.key", "--json")
    assert said.code == 1, said.err
    told = {one["code"]: sorted(Path(f["file"]).name for f in one["files"]) for one in said.json["troubles"]}
    assert told == {
        "archive.deidentify-not-dicom": ["a.zip!notes.txt", "b.zip!inner.zip", "damaged.zip!notes.txt"],
        "cli.deidentify-same-name": ["a.zip!twice.dcm", "damaged.zip!twice.dcm"],
        "dicom.broken-archive": ["broken.zip", "damaged.zip!good.dcm"],
    }
    assert len(results(tmp_path)) == 4


def test_an_archive_that_unpacks_to_more_than_the_memory_is_refused(bingcheng, tmp_path, monkeypatch):
    monkeypatch.setattr("bingcheng.dicom.sources.LARGEST_MIB", 1)
    (tmp_path / "in").mkdir()
    zipped(tmp_path / "in" / "a.zip", [("good.dcm", written(ct())), ("huge.dcm", bytes(2 << 20))])
    said = bingcheng("deidentify", "in", "out", "--key", "my.key", "--json")
    assert [(one["code"], len(one["files"])) for one in said.json["troubles"]] == [("dicom.too-large", 1)]
    assert len(results(tmp_path)) == 1


def test_of_two_objects_with_one_uid_the_second_is_not_written_over_the_first(bingcheng, folder, tmp_path):
    add(folder, "one again.dcm", ct())
    add(folder, "three.dcm", ct(InstanceNumber="7"))
    said = bingcheng("deidentify", folder, "out", "--key", "my.key", "--json")
    assert said.code == 1
    (trouble,) = said.json["troubles"]
    assert trouble["code"] == "cli.deidentify-same-uid"
    assert trouble["files"][0]["file"].endswith("three.dcm")
    assert "7" not in {str(dcmread(path).InstanceNumber) for path in results(tmp_path)}


def test_whom_a_run_wrote_before_it_stopped_is_known(bingcheng, folder, tmp_path):
    assert bingcheng("deidentify", folder, "first", "--key", "my.key").code == 0
    (patient,) = (tmp_path / "first").iterdir()
    # A file where the second patient's folder should be stops the run, as a full disk does.
    add(folder, "zero.dcm", ct(PatientID="MRN-5550001", PatientName="Other", SOPInstanceUID="1.2.276.8.9"))
    bingcheng("deidentify", folder, "second", "--key", "my.key")
    (other,) = {one.name for one in (tmp_path / "second").iterdir()} - {patient.name}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / other).write_text("", encoding="ascii")
    keys = ("--key", "my.key", "--table", "who.sqlite")
    said = bingcheng("deidentify", folder, "out", *keys)
    assert (said.code, "cli.deidentify-cant-write" in said.err) == (4, True)
    assert bingcheng("deidentify", *keys, "--original", patient.name, "--json").json["patient_id"] == "MRN-7730921"
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_picture_that_nobody_can_draw_keeps_none_of_the_others(bingcheng, folder, tmp_path):
    broken = grey(SOPInstanceUID="1.2.276.8.3")
    broken.PixelData = broken.PixelData[:100]
    add(folder, "broken.dcm", broken)
    far = written(ct(SOPClassUID=US, Modality="US", SOPInstanceUID="1.2.276.8.444444"))
    (folder / "far.dcm").write_bytes(far.replace(b"1.2.276.8.444444", b"../../../escaped"))
    said = bingcheng("deidentify", folder, "out", "--key", "my.key", "--pictures", "look/deep", "--json")
    assert said.code == 1, said.err
    assert said.json["done"] == 2
    (trouble,) = said.json["troubles"]
    assert len(trouble["files"]) == 2
    (picture,) = tmp_path.rglob("*.png")
    assert picture.parent == tmp_path / "look" / "deep"


def test_a_number_with_an_issuer_and_without_is_told_and_can_be_made_one(bingcheng, folder, tmp_path):
    add(folder, "issued.dcm", ct(SOPInstanceUID="1.2.276.6.1", IssuerOfPatientID="NORTH"))
    said = bingcheng("deidentify", folder, "out", "--key", "my.key", "--json")
    assert len(said.json["patients"]) == 2
    assert said.json["perhaps_one_patient"] == [sorted(said.json["patients"])]
    assert "--issuer" in bingcheng("deidentify", folder, "again", "--key", "my.key").out
    one = bingcheng("deidentify", folder, "third", "--key", "my.key", "--issuer", "NORTH", "--json")
    assert len(one.json["patients"]) == 1
    assert one.json["perhaps_one_patient"] == []


def test_who_it_was_is_told_with_the_key_only(bingcheng, folder, tmp_path):
    assert bingcheng("deidentify", folder, "out", "--key", "my.key", "--table", "who.sqlite").code == 0
    name = results(tmp_path)[0].parts[-4]
    said = bingcheng("deidentify", "--key", "my.key", "--table", "who.sqlite", "--original", name, "--json")
    assert said.json["name"] == "Quixworth^Zebediah"
    assert "MRN-7730921" in bingcheng("deidentify", "--key", "my.key", "--table", "who.sqlite", "--original", name).out
    (tmp_path / "wrong.key").write_text("0" * 64, encoding="ascii")
    said = bingcheng("deidentify", "--key", "wrong.key", "--table", "who.sqlite", "--original", name)
    assert said.code == 4
    assert "archive.bad-key" in said.err
    assert bingcheng("deidentify", "--key", "my.key", "--table", "who.sqlite", "--original", "P-X").code == 4
    with_table = sorted(p.name for p in results(tmp_path))
    assert bingcheng("deidentify", folder, "plain", "--key", "my.key").code == 0
    assert sorted(p.name for p in (tmp_path / "plain").rglob("*.dcm")) == with_table


def test_profiles_are_listed(bingcheng):
    said = bingcheng("deidentify", "--list")
    assert said.code == 0
    assert "teaching" in said.out
    assert "113107" in said.out
    assert {one["name"] for one in bingcheng("deidentify", "--list", "--json").json} >= {"basic", "teaching"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("in", "out"), "cli.deidentify-no-key"),
        (("--key", "my.key"), "cli.deidentify-no-place"),
        (("in", "--key", "my.key"), "cli.deidentify-no-place"),
        (("in", "in/out", "--key", "my.key"), "cli.deidentify-inside"),
        (("--key", "my.key", "--original", "P-X"), "cli.deidentify-no-table"),
        (("in", "out", "--key", "my.key", "--profile", "nothing"), "archive.no-such-profile"),
    ],
)
def test_wrong_usage_is_said_plainly(bingcheng, tmp_path, arguments, code):
    (tmp_path / "in").mkdir()
    said = bingcheng("deidentify", *arguments)
    assert said.code in (2, 4)
    assert code in said.err
    assert not (tmp_path / "my.key").exists() or code == "archive.no-such-profile"


def test_an_empty_folder_is_said_to_be_empty(bingcheng, tmp_path):
    (tmp_path / "in").mkdir()
    assert bingcheng("deidentify", "in", "out", "--key", "my.key").code == 3
    assert bingcheng("deidentify", "missing", "out", "--key", "my.key").code == 3
