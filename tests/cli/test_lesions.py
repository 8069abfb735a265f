"""``bingcheng lesions``: listing lesions over exams, deciding which is which, taking it back."""

from __future__ import annotations

import shutil

import pytest
from tests.engine.conftest import make_no_objects, shorten_uncertainties
from tests.engine.follow_up_making import QUICK, follow_up

from bingcheng.archive.workspace import Workspace
from bingcheng.engine.follow_up import by_images
from bingcheng.engine.run import Options, assess

WHO = ("--who", "Dr Li", "--why", "seen in both planes")


@pytest.fixture(scope="module")
def assessed_folder(tmp_path_factory):
    """A workspace with two exams whose lesions were matched; without DICOM objects and how large uncertainties are."""
    folder = tmp_path_factory.mktemp("lesions")
    workspace = Workspace.open(folder / "workspace")
    study = follow_up(folder / "study")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(by_images, "RegistrationSettings", lambda: QUICK)
        make_no_objects(patched)
        shorten_uncertainties(patched)
        assess(study, workspace, Options(workers=1), lambda *_: None)
    workspace.close()
    return folder / "workspace"


@pytest.fixture
def stored(assessed_folder, bingcheng, tmp_path):
    """The command, with a copy of that workspace."""
    shutil.copytree(assessed_folder, tmp_path / "workspace", dirs_exist_ok=True)
    return bingcheng


@pytest.mark.slow
def test_lesions_are_listed_over_the_exams_with_kind_and_confidence(stored):
    said = stored("lesions")
    assert said.code == 0, said.err
    assert "E01:left → E02:b + E02:c" in said.out
    assert "Vanished  E01:gone" in said.out
    assert "needs a reader" in said.out
    assert "% sure" in said.out


def test_a_decision_is_kept_shown_and_taken_back(stored, tmp_path):
    done = stored("lesions", "link", "E01:left", "E02:b", "E02:c", *WHO)
    assert done.code == 0, done.err
    listed = stored("lesions", "--history").out
    assert "decided by Dr Li" in listed
    assert "seen in both planes" in listed
    page = (tmp_path / "workspace" / "report" / "index.html").read_text(encoding="utf-8")
    assert "decided by Dr Li" in page
    assert stored("lesions", "undo").code == 0
    assert "decided by Dr Li" not in stored("lesions").out
    assert "taken back" in stored("lesions", "--history").out


def test_unlinking_parts_a_track(stored):
    assert stored("lesions", "unlink", "E01:liver", "E02:a", *WHO).code == 0
    assert "E01:liver → E02:a" not in stored("lesions").out


@pytest.mark.parametrize(("command", "lesion"), [("new", "E02:a"), ("vanished", "E01:liver")])
def test_a_lesion_can_be_declared_new_or_vanished(stored, command, lesion):
    assert stored("lesions", command, lesion, *WHO).code == 0
    assert "E01:liver → E02:a" not in stored("lesions").out


def test_json_holds_tracks_links_and_decisions(stored):
    stored("lesions", "link", "E01:left", "E02:b", "E02:c", *WHO)
    said = stored("lesions", "--json").json
    tracks = {one["track"]: [f"{m['exam']}:{m['lesion']}" for m in one["lesions"]] for one in said["tracks"]}
    assert tracks["left"] == ["E01:left", "E02:b", "E02:c"]
    assert {one["kind"] for one in said["matched"][0]["links"]} == {"same", "split", "merged", "new", "vanished"}
    assert said["decisions"][0]["by"] == "Dr Li"


def test_recist_is_calculated_with_what_a_reader_has_to_decide(stored):
    said = stored("lesions", "--response")
    assert said.code == 0, said.err
    assert "RECIST 1.1, calculated for a reader to check" in said.out
    assert "Targets in E01" in said.out
    assert "needs a reader" in said.out.split("RECIST 1.1")[1]
    (before,) = stored("lesions", "--json").json["responses"]
    assert before["exams"][0]["questions"]
    for command, *names in (
        ("link", "E01:liver", "E02:a"),
        ("link", "E01:left", "E02:b", "E02:c"),
        ("link", "E01:near one", "E01:near two", "E02:d"),
        ("vanished", "E01:gone"),
        ("new", "E02:e"),
    ):
        assert stored("lesions", command, *names, *WHO).code == 0
    (after,) = stored("lesions", "--json").json["responses"]
    (exam,) = after["exams"]
    assert (exam["response"], exam["needs_reader"]) == ("PD", False)
    # 26, 20, twice 14 grown together and 14 mm; then 13 and 13, 22, 30 and none. Each diameter to a voxel of 3 mm.
    assert after["baseline_mm"] == pytest.approx(88.0, abs=12.0)
    assert exam["sum_mm"] == pytest.approx(78.0, abs=12.0)
    assert any("e is new" in reason for reason in exam["reasons"])
    assert any("gone has gone" in reason for reason in exam["reasons"])
    assert "PD (progressive disease)" in stored("lesions", "--response").out


def test_without_a_later_exam_it_says_what_recist_needs(bingcheng, tmp_path):
    Workspace.open(tmp_path / "workspace").close()
    assert "RECIST 1.1 needs a lesion" in bingcheng("lesions", "--response").out


def test_one_exams_patient_can_be_asked_for(stored):
    assert "E01:liver" in stored("lesions", "--exam", "E01").out
    unknown = stored("lesions", "--exam", "E77")
    assert unknown.code != 0
    assert "engine.no-such-exam" in unknown.err


def test_nothing_is_decided_without_a_name_and_a_reason(stored):
    assert stored("lesions", "link", "E01:liver", "E02:a").code == 2


def test_what_is_not_there_is_told_with_what_is(stored):
    said = stored("lesions", "link", "E01:nodule", "E02:a", *WHO)
    assert said.code != 0
    assert "engine.no-such-lesion" in said.err
    assert "liver" in said.err


def test_show_lists_the_links_of_an_exam(stored):
    assert "Split  E01:left → E02:b + E02:c" in stored("show", "E02").out


def test_chinese_reader(stored):
    assert stored("lesions", "--lang", "zh").code == 0


def test_a_workspace_without_lesions_says_so(bingcheng, tmp_path):
    Workspace.open(tmp_path / "workspace").close()
    assert "No lesion is stored yet." in bingcheng("lesions").out
