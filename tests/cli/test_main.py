"""The command as people and scripts use it: exit codes, languages, JSON, help."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from tests.engine.making import ct
from tests.engine.processes import BINGCHENG, environment, finished, start, stored_exams

HEAVY = ("numpy", "pydicom", "SimpleITK", "numba", "sqlalchemy", "scipy", "highdicom", "pyarrow", "jinja2", "pydantic")
TOP = (
    "schema version identified headline sites exams changes follow_up comparison dose radiomics refusals tally report "
    "responses without_response"
)
EXAM = "uid label patient site day performed_on description series findings refusals"
SERIES = "uid modality description device facts measurements lesions"
LESION = "lesion track label method measurements radiomics"
MEASUREMENT = "key label value standard_uncertainty unit no_value tells provenance"
FINDING = (
    "protocol protocol_title criterion role series_uid lesion title outcome level trust gates measured limit value "
    "distance unit peers reason remedy owner source"
)
CHANGE = "patient lesion label verdict lead changes links"
REFUSAL = "code kind subject study_uid series_uid count reason remedy owner"


def test_help_is_there_at_once(tmp_path):
    seen = subprocess.run(
        [
            sys.executable,
            "-c",
            """import sys; from bingcheng.cli.main import main; sys.argv = ['bingcheng', '--help']
try: main()
except SystemExit: print('LOADED', *{name.split('.')[0] for name in sys.modules})""",
        ],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    loaded = seen.stdout.partition("LOADED")[2].split()
    assert loaded
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize(
    "command",
    [(), ("assess",), ("demo",), ("show",), ("protocols",), ("measures",), ("verify",), ("protocol",), ("lesions",)],
)
def test_every_help_speaks_plainly_in_both_languages(bingcheng, command):
    english, chinese = bingcheng(*command, "--help"), bingcheng("--lang", "zh", *command, "--help")
    assert english.code == chinese.code == 0
    for odd in ("<bool>", "<str>", "list[", "None"):
        assert odd not in english.out
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese.out)
    assert "Options" in english.out


@pytest.mark.slow
def test_an_assessment_says_what_was_found_and_where_the_report_is(first_run):
    said, workspace = first_run
    assert said.code == 0
    assert "Exams found: 4; assessed now: 4" in said.out
    assert str(workspace / "report" / "index.html") in said.out
    assert "\x1b[" not in said.out  # no colours where nobody sees them
    assert (workspace / "report" / "index.html").stat().st_size > 1e4


def test_quiet_prints_nothing(stored, small_study):
    said = stored("assess", small_study, "--quiet")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_json_is_one_object_with_a_layout_that_stays(stored, small_study):
    said = stored("assess", small_study, "--json")
    assert said.err == ""
    seen = said.json
    assert seen["schema"] == "bingcheng-assessment/1"
    exam = next(one for one in seen["exams"] if one["findings"])
    series = next(one for one in exam["series"] if one["lesions"])
    layouts = [
        (seen, TOP),
        (exam, EXAM),
        (exam["findings"][0], FINDING),
        (series, SERIES),
        (series["lesions"][0], LESION),
        (series["lesions"][0]["measurements"][0], MEASUREMENT),
        (seen["changes"][0], CHANGE),
        (seen["tally"], "found assessed unchanged failed"),
    ]
    for found, layout in layouts:
        assert set(found) == set(layout.split())


def test_refusals_in_json_say_where_they_belong(tmp_path, assess_json):
    ct(tmp_path / "exam", lesion=False)
    (tmp_path / "exam" / "x.dcm").write_bytes(b"")
    (refusal,) = assess_json(tmp_path / "exam").json["refusals"]
    assert set(refusal) == set(REFUSAL.split())
    assert (refusal["subject"], refusal["count"]) == ("x.dcm", 1)


def test_strict_stops_at_what_was_given_now_and_only_at_that(tmp_path, bingcheng):
    ct(tmp_path / "thick", facts={"slice_thickness_mm": 9.0}, name="thick", lesion=False)
    ct(tmp_path / "good")
    assert bingcheng("assess", tmp_path / "thick", "--workers", 1).code == 0
    assert bingcheng("assess", tmp_path / "thick", "--strict").code == 1
    assert bingcheng("assess", tmp_path / "good", "--strict", "--workers", 1).code == 0
    (tmp_path / "images lost").mkdir()
    shutil.copy(tmp_path / "good" / "seg.dcm", tmp_path / "images lost" / "seg.dcm")
    assert bingcheng("assess", tmp_path / "images lost", "--strict", "--workspace", tmp_path / "other").code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("assess",), 2),
        (("nonsense",), 2),
        (("assess", ".", "--workers", "0"), 2),
        (("--lang", "xx", "protocols"), 2),
        (("show",), 4),
        (("protocols", "nope"), 4),
        (("measures", "nope"), 4),
        (("--version",), 0),
    ],
)
def test_exit_codes(bingcheng, arguments, code):
    said = bingcheng(*arguments)
    assert said.code == code
    assert code == 0 or said.err


def test_the_workspace_can_stand_where_a_file_is(bingcheng, small_study, tmp_path):
    (tmp_path / "workspace").write_text("a file")
    said = bingcheng("assess", small_study)
    assert said.code == 4
    assert "archive.not-a-folder" in said.err


@pytest.mark.parametrize(
    "where",
    [("--lang", "zh", "protocols"), ("protocols", "--lang", "zh"), ("protocols", "--lang=zh_CN"), ("protocols",)],
)
def test_the_language_may_be_asked_for_anywhere(bingcheng, monkeypatch, where):
    if len(where) == 1:
        monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "模态" in bingcheng(*where).out or "标识" in bingcheng(*where).out


def test_show_lists_exams_prints_one_and_names_the_nearest(stored):
    listed = stored("show")
    assert listed.code == 0
    assert all(label in listed.out for label in ("E01", "E02", "E03", "E04"))
    one = stored("show", "e01")
    assert one.code == 0
    assert "E01" in one.out
    wrong = stored("show", "E011")
    assert wrong.code == 4
    assert "engine.no-such-exam" in wrong.err
    assert "E01" in wrong.err


def test_measures_are_listed_and_explained(bingcheng):
    assert "edge_resolution" in bingcheng("measures").out
    one = bingcheng("measures", "edge_resolution")
    assert "Source" in one.out
    assert "References" in one.out
    assert "acquisition" in bingcheng("measures", "--inputs").out
    wrong = bingcheng("measures", "edge_resolutoin")
    assert "edge_resolution" in wrong.err


def test_protocols_are_listed_and_explained(bingcheng):
    listed = bingcheng("protocols")
    first = next(line.split()[0] for line in listed.out.splitlines()[1:] if line.strip())
    assert "Sources" in bingcheng("protocols", first).out


def test_a_reader_that_has_enough_is_no_fault():
    process = subprocess.Popen(
        [BINGCHENG, "measures"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(PYTHONUNBUFFERED="1")
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert b"cli.fault" not in process.stderr.read()
    process.stderr.close()
    process.wait()


def test_a_terminal_that_knows_no_chinese_is_no_fault(small_study, tmp_path):
    code, out, err = finished(
        start(
            *("protocols", "--lang", "zh"),
            PYTHONIOENCODING="ascii",
            LC_ALL="C",
            PYTHONUTF8="0",
            PYTHONCOERCECLOCALE="0",
        )
    )
    assert code == 0, err
    assert out.strip()


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_keeps_what_was_finished(small_study, tmp_path):
    workspace = tmp_path / "workspace"
    process = subprocess.Popen(
        [BINGCHENG, "assess", small_study, "--workspace", workspace, "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    while stored_exams(workspace) == 0:
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    code, _, err = finished(process)
    assert code == 130, err
    assert "Traceback" not in err
    assert "run the same command again" in err
    assert stored_exams(workspace) >= 1
