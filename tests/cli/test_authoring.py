"""``bingcheng protocol check | diff | learn | what-if | export | judge``, as an author gives them."""

from __future__ import annotations

import json
import re

import pydicom
import pytest
from tests.outputs.procedure_protocols import acquisition, performed, reconstruction
from tests.protocol.test_library import GOOD

from bingcheng.protocol.library import load, protocol


@pytest.fixture
def assessed(first_run):
    """A workspace with the small study. Read only."""
    return first_run[1]


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


# check


def test_a_file_that_makes_sense_is_said_to_with_what_it_amounts_to(bingcheng, own):
    said = bingcheng("protocol", "check", own)
    assert said.code == 0
    assert "ours.toml makes sense: Our liver CT (ours), 1 series, 2 criteria." in " ".join(said.out.split())


def test_every_mistake_is_told_with_its_line_not_only_the_first(bingcheng, own):
    wrong = GOOD.replace('"KVP"', '"KVPeak"').replace("value = 0.25", 'value = "thin"')
    own.write_text(wrong, encoding="utf-8")
    said = bingcheng("protocol", "check", own)
    assert said.code == 1
    lines = [int(n) for n in re.findall(r"ours\.toml, line (\d+)", said.err)]
    assert [wrong.splitlines()[n - 1] for n in lines] == ['value = "thin"', 'attribute = "KVPeak"']
    assert "2 mistakes" in said.out


def test_a_file_that_is_absent_is_an_error_of_its_own(bingcheng, tmp_path):
    said = bingcheng("protocol", "check", tmp_path / "absent.toml")
    assert said.code == 4
    assert "protocol.unreadable-file" in said.err


def test_a_copy_of_a_shipped_protocol_is_said_to_need_a_name_of_its_own(bingcheng):
    bingcheng("protocol", "export", "ct_response_recist11", "--toml", "copy.toml")
    said = bingcheng("protocol", "check", "copy.toml")
    assert said.code == 0
    assert "ct_response_recist11 too" in " ".join(said.out.split())


# diff


def test_protocols_that_say_the_same_end_with_0_and_others_with_1(bingcheng, own):
    assert bingcheng("protocol", "diff", own, own).code == 0
    other = own.with_name("other.toml")
    other.write_text(GOOD.replace("value = 0.25", "value = 0.5"), encoding="utf-8")
    said = bingcheng("protocol", "diff", own, other)
    assert said.code == 1
    assert "changed criterion thickness" in said.out
    assert "at most 0.25 cm → at most 0.5 cm" in said.out
    told = bingcheng("protocol", "diff", own, other, "--json").json
    assert [one["field"] for one in told["differences"]] == ["value"]
    assert "unknown" not in bingcheng("protocol", "diff", own, "ct_response_recist11").err


def test_an_unknown_protocol_is_refused(bingcheng, own):
    said = bingcheng("protocol", "diff", own, "no_such")
    assert said.code == 4
    assert "protocol.no-such-protocol" in said.err


# export


def test_a_protocol_is_written_as_sheet_as_dicom_and_as_file(bingcheng, tmp_path):
    said = bingcheng(
        *("protocol", "export", "ct_response_recist11", "--sheet", "s.html", "--dicom", "d.dcm", "--toml", "r.toml"),
        *("--by", "Physicist"),
    )
    assert said.code == 0, said.err
    assert "CT for response by RECIST 1.1" in (tmp_path / "s.html").read_text("utf-8")
    assert pydicom.dcmread(tmp_path / "d.dcm").ContentCreatorName == "Physicist"
    assert load(tmp_path / "r.toml") == protocol("ct_response_recist11")


def test_the_sheet_is_a_pdf_if_its_name_or_the_format_says_so(bingcheng, tmp_path):
    for arguments, name in (
        (("--sheet", "s.pdf"), "s.pdf"),
        (("--sheet", "s.print", "--format", "pdf", "--lang", "zh"), "s.print"),
        (("--format", "pdf"), "ct_response_recist11.pdf"),
    ):
        run = bingcheng("protocol", "export", "ct_response_recist11", *arguments)
        assert run.code == 0, run.err
        assert name in run.out
        assert (tmp_path / name).read_bytes().startswith(b"%PDF-")
    wrong = bingcheng("protocol", "export", "ct_response_recist11", "--format", "docx")
    assert wrong.code == 2
    assert "pdf or html" in wrong.err


def test_the_sheet_speaks_the_language_that_was_asked_for(bingcheng, tmp_path):
    bingcheng("protocol", "export", "fdg_petct_eanm2", "--sheet", "s.html", "--lang", "zh")
    assert "摄取时间" in (tmp_path / "s.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ct_response_recist11",), "cli.nothing-to-write"),
        (("dwi_adc_qiba", "--dicom", "d.dcm"), "outputs.not-a-ct-protocol"),
    ],
)
def test_what_can_not_be_exported_is_said(bingcheng, arguments, code):
    said = bingcheng("protocol", "export", *arguments)
    assert said.code == 4
    assert code in said.err


# learn


def test_a_draft_is_learnt_from_a_folder_and_from_a_workspace_alike(bingcheng, small_study, assessed, tmp_path):
    common = ("--modality", "CT", "--least", 2, "--id", "draft")
    said = bingcheng("protocol", "learn", small_study, *common, "-o", "folder.toml")
    assert said.code == 0, said.err
    assert bingcheng("protocol", "learn", *common, "-w", assessed, "-o", "workspace.toml").code == 0
    assert bingcheng("protocol", "check", "folder.toml").code == 0
    assert bingcheng("protocol", "diff", "folder.toml", "workspace.toml").code == 0
    assert load(tmp_path / "folder.toml").criteria


def test_a_draft_is_printed_where_no_file_is_named(bingcheng, assessed):
    said = bingcheng("protocol", "learn", "--modality", "CT", "--least", 2, "-w", assessed)
    assert said.out.startswith("# A draft, learnt from 2 exams")


def test_exams_are_named_by_their_labels(bingcheng, assessed):
    every = bingcheng("show", "-w", assessed).out
    labels = [line.split()[0] for line in every.splitlines() if re.match(r"E\d", line) and "CT" in line]
    said = bingcheng("protocol", "learn", *labels, "--modality", "CT", "--least", 2, "-w", assessed)
    assert said.code == 0, said.err


def test_real_exams_of_five_scanners_give_a_draft_that_makes_sense(bingcheng, reference_data):
    folder = reference_data / "08_mr_phantoms"
    assert bingcheng("protocol", "learn", folder, "--modality", "MR", "--least", 2, "-o", "mr.toml").code == 0
    assert bingcheng("protocol", "check", "mr.toml").code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), "cli.which-modality"),
        (("--modality", "US"), "cli.no-such-modality"),
        (("--modality", "CT", "--device", "Nobody"), "cli.no-exam-to-learn-from"),
        (("--modality", "CT", "--least", 9), "protocol.nothing-to-learn"),
        (("--modality", "CT", "--least", 2, "--id", "two words"), "protocol.unfit-name"),
        (("E99", "--modality", "CT"), "engine.no-such-exam"),
    ],
)
def test_what_can_not_be_learnt_is_said(bingcheng, assessed, arguments, code):
    said = bingcheng("protocol", "learn", *arguments, "-w", assessed)
    assert said.code == 4
    assert code in said.err


# what-if


def test_stored_findings_tell_who_meets_what_and_which_limit_the_share_would_meet(bingcheng, assessed):
    seen = bingcheng("protocol", "what-if", "ct_response_recist11", "--json", "-w", assessed).json
    thickness = next(one for one in seen["criteria"] if one["criterion"] == "thickness")
    assert thickness["exams"] == {"met": 2, "judged": 2, "share": 1.0}
    assert thickness["limit_of_exams"] == "at most 5 mm"
    said = bingcheng("protocol", "what-if", "ct_response_recist11", "-w", assessed)
    assert said.code == 0
    assert "Slice thickness" in said.out


def test_a_file_that_nobody_was_judged_by_is_judged_now_and_not_stored(bingcheng, assessed, own):
    own.write_text(GOOD.replace("value = 0.25", "value = 0.3"), encoding="utf-8")
    seen = bingcheng("protocol", "what-if", own, "--json", "-w", assessed).json
    assert seen["fails_most"] == "thickness"
    thickness = next(one for one in seen["criteria"] if one["criterion"] == "thickness")
    assert thickness["exams"] == {"met": 0, "judged": 2, "share": 0.0}
    assert thickness["limit_of_exams"] == "at most 0.5 cm"
    assert "ours" not in json.dumps(bingcheng("protocol", "statements", "-w", assessed).out)


def test_a_protocol_that_fits_no_exam_claims_nothing(bingcheng, assessed):
    said = bingcheng("protocol", "what-if", "prostate_mpmri_pirads21", "-w", assessed)
    assert said.code == 0
    assert "No exam of this workspace" in said.out


# judge


def test_what_a_console_was_set_to_is_judged_and_gates(bingcheng, own, tmp_path):
    good = performed(tmp_path / "good.dcm", [acquisition(1, "Liver")], [reconstruction(1, "Thin", 1)])
    said = bingcheng("protocol", "judge", good, "--protocol", own)
    assert said.code == 0, said.err
    assert "Secret" not in said.out
    bad = performed(
        tmp_path / "bad.dcm", [acquisition(1, "Liver")], [reconstruction(1, "Thick", 1, SliceThickness=7.0)]
    )
    said = bingcheng("protocol", "judge", bad, "--protocol", own)
    assert said.code == 1
    assert "Reconstruct at 2.5 mm." in said.out
    told = bingcheng("protocol", "judge", bad, "--protocol", own, "--json").json
    outcomes = {one["criterion"]: one["outcome"] for one in told["findings"]}
    assert outcomes["thickness"] == "fail"
    assert outcomes["kvp"] == "pass"


def test_an_object_that_is_none_is_refused(bingcheng, own):
    said = bingcheng("protocol", "judge", own, "--protocol", own)
    assert said.code == 4
    assert "dicom.not-a-performed-protocol" in said.err


def test_the_help_names_all_commands_of_authors(bingcheng):
    said = bingcheng("protocol", "--help")
    for name in ("check", "diff", "learn", "what-if", "export", "judge"):
        assert re.search(rf"^\s+{name}\s", said.out, re.MULTILINE)


def test_what_was_set_is_judged_against_the_object_that_the_console_was_given(bingcheng, own, tmp_path):
    assert bingcheng("protocol", "export", own, "--dicom", "given.dcm").code == 0
    good = performed(tmp_path / "good.dcm", [acquisition(1, "Thin CT")], [reconstruction(1, "Thin CT", 1)])
    assert bingcheng("protocol", "judge", good, "--protocol", "given.dcm").code == 0
    bad = performed(tmp_path / "bad.dcm", [acquisition(1, "x")], [reconstruction(1, "x", 1, SliceThickness=7.0)])
    said = bingcheng("protocol", "judge", bad, "--protocol", "given.dcm")
    assert said.code == 1
    assert "Slice Thickness (R1): 7 mm" in said.out
