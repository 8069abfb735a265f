"""The whole demo, as a person runs it: what the report says is what is true of the study.

One run of ``bingcheng demo`` in a process of its own serves all tests here; it is the main job at its real size. What
it stored is read in this process.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import highdicom
import pydicom
import pytest

from bingcheng.cli.main import application
from bingcheng.outputs.conformance_sr import read_conformance_sr
from bingcheng.outputs.language import Language

BINGCHENG = Path(sys.executable).parent / "bingcheng"

ML_PER_MM3 = 1e-3
PER_THOUSAND = 1e3
CT_LESION = {"hu_mean": "hu"}
PET_LESION = {"suv_mean": "suv", "suv_max": "suv", "suv_peak": "suv"}
SIZES = {"longest_diameter": "longest_diameter_mm", "short_axis": "short_axis_mm", "diameter_3d": "diameter_3d_mm"}


def run(*arguments, **options):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "BINGCHENG_LANG": "en"}
    return subprocess.run(
        [BINGCHENG, *arguments], capture_output=True, text=True, check=False, env=environment, **options
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "study"
    done = run("demo", str(folder))
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def truth(demo):
    return json.loads((demo[0] / "exams" / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def strictly(demo):
    """Exit code, and the JSON, of the same exams assessed once more, with a word about protocols that were broken."""
    folder, said = demo[0], io.StringIO()
    command = ["assess", str(folder / "exams"), "--workspace", str(folder / "workspace"), "--json", "--strict"]
    with redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the command does: of odd headers libraries warn in their own words
        code = application(Language.of("en"))(command, prog_name="bingcheng", standalone_mode=False)
    return code, json.loads(said.getvalue())


@pytest.fixture(scope="module")
def again(strictly):
    """What was found, as JSON."""
    return strictly[1]


def expected(series, lesion):
    """What each measure of a lesion should find, in the measure's unit."""
    volume_ml = lesion["volume_mm3"] * ML_PER_MM3
    found = {"volume": volume_ml, **{key: lesion[name] for key, name in SIZES.items()}}
    if series["modality"] == "CT":
        found |= {key: lesion[name] for key, name in CT_LESION.items()}
    if series["modality"] == "PT":
        found |= {key: lesion[name] for key, name in PET_LESION.items()}
        found |= {"metabolic_tumour_volume": volume_ml, "total_lesion_glycolysis": lesion["suv"] * volume_ml}
    if series["modality"] == "MR":
        found["adc_mean"] = lesion["adc_mm2_per_s"] * PER_THOUSAND
    return found


def expected_of_series(series):
    if series["modality"] == "CT":
        return {
            "noise": series["noise_sd"],
            "edge_resolution": series["f50_per_mm"],
            "water_equivalent_diameter": series["water_equivalent_diameter_cm"]["mean"],
        }
    return {"liver_suv_mean": series["liver_suv"]} if series["modality"] == "PT" else {}


@pytest.mark.slow
def test_every_measured_value_lies_within_its_stated_uncertainty_of_the_truth(again, truth):
    measured = {
        (series["uid"], lesion and lesion["lesion"], one["key"]): one
        for exam in again["exams"]
        for series in exam["series"]
        for lesion in (None, *series["lesions"])
        for one in (lesion or series)["measurements"]
    }
    checked, wrong = 0, []
    for exam in truth["exams"]:
        for series in exam["series"]:
            wanted = [(None, expected_of_series(series))]
            wanted += [(lesion["tracking_uid"], expected(series, lesion)) for lesion in series["lesions"]]
            for lesion, values in wanted:
                for key, true in values.items():
                    one = measured[series["series_uid"], lesion, key]
                    if one["value"] is None:  # the patient without a weight has no SUV, and says so
                        assert one["no_value"]["code"] == "quantify.suv-no-weight", (key, one["no_value"])
                        continue
                    checked += 1
                    if abs(one["value"] - true) > 2.0 * one["standard_uncertainty"]:
                        wrong.append((exam["hospital"], series["modality"], key, one["value"], true))
    assert checked > 150
    assert not wrong


def test_doses_are_those_that_the_scanners_reported(again, truth):
    told = {
        exam["study_uid"]: series["dose"]
        for exam in truth["exams"]
        for series in exam["series"]
        if series["dose"] is not None
    }
    assert {one["exam"] for one in again["dose"]["exams"]} == told.keys()
    for one in again["dose"]["exams"]:
        true, values = told[one["exam"]], {value["quantity"]: value for value in one["values"]}
        assert one["remarks"] == []
        assert one["phantom_cm"] == true["phantom_cm"]
        for quantity, key in (("ctdi_vol", "ctdi_vol_mgy"), ("dlp", "dlp_mgy_cm")):
            assert values[quantity]["basis"] == "dose report"
            # a report writes sixteen characters of a number (PS3.5 6.2, DS)
            assert values[quantity]["value"] == pytest.approx(true[key], rel=1e-9)
        assert values["ssde"]["basis"] == "measured in the images"


def test_the_hospital_whose_doses_are_unusually_low_lies_below_the_25th_percentile_which_is_only_provisional(
    again, truth
):
    low = {e["hospital"] for e in truth["exams"] for s in e["series"] if s["dose"] and s["dose"]["unusually_low"]}
    levels = again["dose"]["levels"]
    assert {level["quantity"] for level in levels} == {"ctdi_vol", "dlp", "ssde"}
    for level in levels:
        below = {site["site"] for site in level["sites"] if site["median"] < level["low"]["value"]}
        assert below == low
        assert level["provisional"]  # three hospitals are too few to judge by
    assert {site["verdict"] for site in again["dose"]["sites"]} == {"can't be judged"}


def test_each_lesion_gets_the_verdict_that_is_true_of_it(again, truth):
    said = {change["lesion"]: change for change in again["changes"]}
    assert {v["tracking_uid"]: v["verdict"] for v in truth["verdicts"]} == {
        lesion: change["verdict"] for lesion, change in said.items()
    }
    assert {v["verdict"] for v in truth["verdicts"]} == {"real", "within repeatability", "not comparable"}
    for change in said.values():
        assert change["lead"]["reasons"]
        assert change["verdict"] != "not comparable" or change["lead"]["remedy"]


def test_the_terminal_and_the_report_say_the_verdicts_in_words(demo, truth):
    folder, terminal = demo
    report = (folder / "workspace" / "report" / "index.html").read_text(encoding="utf-8")
    for words in ("Real change", "Within repeatability", "Not comparable"):
        assert words in terminal
        assert words in report
    for verdict in truth["verdicts"]:
        assert verdict["patient_id"] not in report  # pseudonymised unless asked for


def test_what_could_not_be_used_is_named_and_the_rest_went_on(again, truth):
    told = {refusal["subject"]: refusal["code"] for refusal in again["refusals"]}
    told |= {r["subject"]: r["code"] for exam in again["exams"] for r in exam["refusals"]}
    assert {subject for subject, _ in truth["refusals"]} & told.keys() >= {"inbox/letter.dcm", "inbox/empty.dcm"}
    assert "dicom.unusable-slice" in told.values()
    assert "dicom.not-dicom" in told.values()
    assert again["tally"]["failed"] == 0


def test_assessing_again_does_nothing_again(again):
    assert again["tally"]["assessed"] == 0
    assert again["tally"]["unchanged"] == again["tally"]["found"] > 0


@pytest.mark.slow
def test_structured_reports_and_segmentations_conform_and_are_read_back(demo, complaints):
    written = sorted((demo[0] / "workspace" / "dicom").rglob("*.dcm"))
    assert len(written) > 20
    assert sum(path.name.startswith("conformance-") for path in written) > 5
    for path in written:
        assert complaints(path) == [], path.name
        if path.name.endswith("-seg.dcm"):
            assert highdicom.seg.segread(path).number_of_segments >= 1
        elif path.name.startswith("conformance-"):
            assert read_conformance_sr(path).outcomes
        else:
            report = highdicom.sr.srread(path)
            groups = report.content.get_volumetric_roi_measurement_groups()
            assert groups
            assert all(group.get_measurements() for group in groups)
            assert report.SOPClassUID == pydicom.uid.ComprehensiveSRStorage


def test_strict_says_by_its_exit_code_that_an_exam_broke_its_protocol(strictly):
    assert strictly[0] == 1
