"""Drafts learnt from good exams: what is asked, what is not, and what never stands in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.protocol.authoring.good_exams import SERIALS, liver_exams, pet_exams, prostate_exams

from bingcheng.core.errors import InputError
from bingcheng.core.finding import Level, Outcome, Trust
from bingcheng.outputs.language import Language
from bingcheng.protocol.authoring.clusters import GoodExam
from bingcheng.protocol.authoring.learn import learn
from bingcheng.protocol.conformance import applicable, judge
from bingcheng.protocol.library import parse

DAY = date(2026, 11, 24)
EXAMS = {"CT": liver_exams, "MR": prostate_exams, "PT": pet_exams}


def drafted(modality="CT", exams=None, **told):
    return learn(EXAMS[modality]() if exams is None else exams, modality=modality, on=DAY, **told)


def criteria(draft, attribute):
    return {one.roles[0]: one for one in draft.protocol.criteria if one.attribute == attribute}


@pytest.mark.parametrize("modality", EXAMS)
def test_a_draft_loads_to_itself_and_no_exam_that_it_came_from_fails_it(modality):
    exams = EXAMS[modality]()
    draft = learn(exams, modality=modality, on=DAY)
    loaded = parse(draft.text, "draft.toml")
    assert loaded == draft.protocol
    assert len(loaded.criteria) > 3
    for exam in exams:
        assert applicable(loaded, exam.acquisitions)
        findings = judge(loaded, exam.acquisitions, supplied=exam.supplied)
        assert not [one.criterion for one in findings if one.outcome is Outcome.FAIL]
        assert any(one.outcome is Outcome.PASS for one in findings if not one.criterion.startswith("role."))


def test_a_draft_stops_no_exam_before_somebody_has_agreed_on_it():
    draft = drafted()
    for one in (*draft.protocol.roles, *draft.protocol.criteria):
        assert one.trust is Trust.UNVERIFIED
        assert one.level in (Level.RECOMMENDED, Level.OPTIONAL)
    assert "12 exams" in draft.protocol.sources["EXAMS"].citation
    assert "2026-11-24" in draft.protocol.sources["EXAMS"].citation


def test_series_become_roles_by_what_they_show_and_thin_ones_are_told_from_thick_ones():
    roles = {role.id: role for role in drafted().protocol.roles}
    assert set(roles) == {"portal_venous_thin", "portal_venous_thick", "precontrast"}
    assert roles["portal_venous_thin"].decisive
    assert roles["portal_venous_thin"].level is Level.RECOMMENDED
    # A quarter of the exams has none.
    assert roles["precontrast"].level is Level.OPTIONAL


def test_settings_that_differ_between_vendors_become_limits_by_vendor():
    draft = drafted()
    thickness = criteria(draft, "SliceThickness")["portal_venous_thin"]
    assert thickness.by_vendor == {"GE": (3.0, 3.0), "SIEMENS": (2.5, 2.5)}
    assert criteria(draft, "SliceThickness")["portal_venous_thick"].value == 5.0
    kernel = criteria(draft, "ConvolutionKernel")["portal_venous_thin"]
    assert kernel.by_vendor == {"GE": ("STANDARD",), "SIEMENS": ("B30f",)}


def test_a_few_settings_that_recur_are_listed_one_by_one():
    voltage = criteria(drafted(), "KVP")["portal_venous_thin"]
    assert (voltage.operator, voltage.value, voltage.unit) == ("in", (100.0, 120.0), "kV")


def test_what_is_scattered_is_not_asked_for_but_said():
    draft = drafted()
    assert not criteria(draft, "Exposure")
    assert any("Exposure" in line for line in draft.comments.end)


def test_one_exam_apart_from_the_others_is_said_with_a_criterion_ready_to_use():
    draft = drafted(exams=liver_exams(outlier_mm=7.0))
    assert "portal_venous_thick" not in criteria(draft, "SliceThickness")
    ready = draft.text[draft.text.index("from 5 to 7 mm") :].splitlines()
    start = next(n for n, line in enumerate(ready) if "[[criteria]]" in line)
    assert "1 of 12 exams" in ready[start - 1]
    block = ready[start : next(n for n, line in enumerate(ready) if "owner" in line) + 1]
    uncommented = "\n".join(line.removeprefix("#").strip() for line in block)
    again = parse(f"{draft.text}\n{uncommented}\n", "draft.toml")
    assert again.criteria[-1].attribute == "SliceThickness"
    assert again.criteria[-1].value == 5.0


def test_a_range_holds_the_values_and_is_as_wide_as_their_spread():
    uptake = criteria(drafted("PT"), "derived.uptake_min")
    low, high = next(iter(uptake.values())).value
    minutes = [exam.acquisitions[0].uptake_s / 60.0 for exam in pet_exams()]
    assert low <= min(minutes)
    assert max(minutes) <= high
    # The exams scatter by 2 min: three standard deviations each way, estimated from eight of them.
    assert 4.0 < high - low < 30.0


def test_neither_serial_numbers_nor_patients_nor_names_of_series_stand_in_a_draft():
    text = drafted().text
    for secret in (*SERIALS, "SECRET", "60 kg", "patient weight"):
        assert secret not in text
    # Two scanners of one model are told apart all the same.
    assert "SIEMENS Somatom A" in text
    assert "SIEMENS Somatom B" in text
    assert "GE Revolution" in text


def test_a_draft_speaks_the_language_of_who_asked_for_it():
    say = Language.of("zh").say
    titles = {one.attribute: one.title for one in drafted(say=say).protocol.criteria}
    assert titles["SliceThickness"].startswith("层厚")


def test_a_quantity_that_few_exams_know_is_not_asked_for():
    exams = [
        GoodExam(acquisitions=tuple(replace(one, kvp_kv=None) if n % 2 else one for one in exam.acquisitions))
        for n, exam in enumerate(liver_exams())
    ]
    draft = drafted(exams=exams)
    assert not criteria(draft, "KVP")
    assert any("KVP" in line and "6 of 12" in line for line in draft.comments.end)


@pytest.mark.parametrize(
    ("exams", "told", "code"),
    [
        (liver_exams(2), {}, "nothing-to-learn"),
        ([], {}, "nothing-to-learn"),
        (liver_exams(), {"modality": "MR"}, "nothing-to-learn"),
        (liver_exams(), {"key": "two words"}, "unfit-name"),
        (liver_exams(), {"title": "{braces}"}, "unfit-name"),
    ],
)
def test_what_can_not_be_learnt_from_is_said(exams, told, code):
    with pytest.raises(InputError, match=code):
        learn(exams, **({"modality": "CT", "on": DAY} | told))
