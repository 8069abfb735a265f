"""``bingcheng protocol``: what people state, as they state it, and what it does to the findings."""

from __future__ import annotations

import json

import pytest

from bingcheng.archive.workspace import Workspace
from bingcheng.engine.view import assessment
from bingcheng.outputs.language import Language
from bingcheng.outputs.machine_readable import as_json


def findings_of(seen):
    """The findings of all exams, by exam, protocol and criterion."""
    return {
        (exam["label"], one["protocol"], one["criterion"]): one for exam in seen["exams"] for one in exam["findings"]
    }


def findings(bingcheng, small_study):
    """The same after another run, which judges anew by what was stated since."""
    return findings_of(bingcheng("assess", small_study, "--workers", 1, "--json").json)


@pytest.fixture(scope="module")
def at_first(first_run):
    """What was seen of the small study before anything was stated."""
    workspace = Workspace.look_into(first_run[1])
    seen = as_json(assessment(workspace), Language.of("en"))
    workspace.close()
    return seen


@pytest.fixture(scope="module")
def before(at_first):
    """The findings before anything was stated."""
    return findings_of(json.loads(json.dumps(at_first)))


def test_a_waiver_shows_in_the_findings_and_can_be_taken_back(stored, small_study, before):
    exam, protocol, criterion = next(key for key, one in before.items() if one["outcome"] in ("fail", "unknown"))
    said = stored(
        *("protocol", "waive", criterion, "--protocol", protocol, "--exam", exam, "--by", "Dr Li"),
        *("--because", "agreed with the province", "--until", "2099-12-31"),
    )
    assert said.code == 0, said.err
    assert "statement 1" in said.out
    waived = findings(stored, small_study)[exam, protocol, criterion]
    assert waived["outcome"] == "waived"
    assert not waived["gates"]
    for words in ("Dr Li", "agreed with the province", "2099-12-31"):
        assert words in waived["reason"]
    listed = stored("protocol", "statements")
    assert "Dr Li" in listed.out
    assert exam in listed.out
    assert stored("protocol", "withdraw", 1).code == 0
    assert findings(stored, small_study) == before
    assert "withdrawn" in stored("protocol", "statements", "--all").out


def test_answers_are_listed_as_questions_first_and_fill_what_no_header_says(stored):
    asked = stored("protocol", "questions", "E01")
    assert asked.code == 0
    assert "clinical.tumour" in asked.out
    said = stored("protocol", "answer", "clinical.tumour=HCC", "--exam", "E01", "--by", "Ms Wu")
    assert said.code == 0, said.err
    assert "clinical.tumour = HCC" in stored("protocol", "statements").out


def test_an_answer_about_one_series_holds_for_it_alone_and_is_listed_with_it(stored, at_first):
    exam, series = next((e, s) for e in at_first["exams"] for s in e["series"] if s["modality"] == "CT")
    said = stored(
        *("protocol", "answer", "image.contrast_phase=portal_venous", "--exam", exam["label"]),
        *("--series", series["uid"], "--by", "Ms Wu"),
    )
    assert said.code == 0, said.err
    listed = " ".join(stored("protocol", "statements").out.split())
    assert "image.contrast_phase = portal_venous, of a series like" in listed


def test_the_time_of_an_injection_is_stated_as_the_clock_shows_it(stored):
    said = stored("protocol", "answer", "clinical.injection_time=9:04:30", "--exam", "E01", "--by", "Ms Wu")
    assert said.code == 0, said.err
    assert "clinical.injection_time = 9:04:30" in stored("protocol", "statements").out


def test_a_series_is_said_to_be_another_one_and_its_criteria_are_no_more_judged(stored, small_study, before):
    exam, protocol, criterion = next(
        key for key, one in before.items() if key[2].startswith("role.") and one["outcome"] == "pass"
    )
    series, role = before[exam, protocol, criterion]["series_uid"], criterion.removeprefix("role.")
    said = stored("protocol", "correct", exam, series, role, "--protocol", protocol, "--is-not", "--by", "A")
    assert said.code == 0, said.err
    assert findings(stored, small_study)[exam, protocol, criterion]["outcome"] != "pass"


WAIVE = ("protocol", "waive", "thickness", "--protocol", "ct_response_recist11", "--because", "x", "--by", "A")


REFUSED = (
    (("protocol", "answer", "clinical.injection_time=9:04", "--by", "A"), "engine.answer-of-one-exam"),
    (
        ("protocol", "answer", "clinical.injection_time=25:04", "--exam", "E01", "--by", "A"),
        "engine.wrong-answer",
    ),
    (
        ("protocol", "answer", "derived.contrast_phase=delayed", "--series", "1", "--by", "A"),
        "engine.series-without-exam",
    ),
    (
        ("protocol", "answer", "derived.contrast_phases=delayed", "--exam", "E01", "--series", "1", "--by", "A"),
        "engine.answer-not-of-a-series",
    ),
    (
        ("protocol", "answer", "derived.contrast_phase=delayed", "--exam", "E01", "--series", "99", "--by", "A"),
        "engine.no-such-series",
    ),
    ((*WAIVE, "--until", "soon"), "cli.not-a-day"),
    ((*WAIVE, "--until", "2001-01-01"), "engine.already-over"),
    ((*WAIVE, "--until", "2099-01-01", "--exam", "E99"), "engine.no-such-exam"),
    ((*WAIVE, "--until", "2099-01-01", "--site", "Nowhere"), "cli.no-such-site"),
    (
        ("protocol", "waive", "thicknes", *WAIVE[3:], "--until", "2099-01-01"),
        "engine.no-such-criterion",
    ),
    (("protocol", "answer", "tumour", "--by", "A"), "cli.not-an-answer"),
    (("protocol", "answer", "no.such=1", "--by", "A"), "engine.not-answerable"),
    (("protocol", "answer", "site.earl_accredited_recon=perhaps", "--by", "A"), "engine.wrong-answer"),
    (("protocol", "answer", "site.phantom_interval_days=ten", "--by", "A"), "engine.wrong-answer"),
    (
        ("protocol", "correct", "E01", "no-such", "CT", "--protocol", "ct_response_recist11", "--by", "A"),
        "engine.no-such-series",
    ),
    (
        ("protocol", "correct", "E01", "1", "XX", "--protocol", "ct_response_recist11", "--by", "A"),
        "engine.no-such-role",
    ),
    (("protocol", "correct", "E01", "1", "CT", "--protocol", "nope", "--by", "A"), "protocol.no-such-protocol"),
    (("protocol", "withdraw", 7), "archive.no-such-statement"),
)


def test_what_can_not_be_stated_is_said_and_nothing_changes(stored):
    given = [(code, stored(*arguments)) for arguments, code in REFUSED]
    assert [(code, said) for code, said in given if said.code == 0 or code not in said.err] == []
    assert "Nothing is stated" in stored("protocol", "statements").out


def test_without_a_workspace_nothing_is_made(bingcheng, tmp_path):
    said = bingcheng(*WAIVE, "--until", "2099-01-01")
    assert "archive.no-workspace" in said.err
    assert not (tmp_path / "workspace").exists()


def test_a_protocol_that_was_asked_for_is_remembered(stored, small_study, before):
    def judged_by(found):
        return {key[1] for key in found}

    assert "liver_ct_lirads2018" not in judged_by(before)
    assert stored("assess", small_study, "--workers", 1, "--quiet", "--protocol", "liver_ct_lirads2018").code == 0
    assert "liver_ct_lirads2018" in judged_by(findings(stored, small_study))
