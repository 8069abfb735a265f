"""RECIST 1.1 as people read it: one sheet for the page and the terminal, and its chart."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from tests.outputs.responses import exams, response, with_response
from tests.outputs.test_report import HOSTILE, Reader

from bingcheng.compare.response import NewLesion, NonTargets, Response
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.follow_up.response_sheet import response_sheet
from bingcheng.outputs.follow_up.response_words import NEW_LESION_WORDS, NON_TARGET_WORDS, RESPONSE_WORDS
from bingcheng.outputs.language import Language
from bingcheng.outputs.machine_readable import as_json
from bingcheng.outputs.report.embedded import embedded
from bingcheng.outputs.report.page import page
from bingcheng.outputs.report.response import ICONS, response_section
from bingcheng.outputs.report.sum_chart import STYLES, sum_chart

EN = Language.of("en")
NOTHING = Assessment(version="0", identified=False, sites=(), exams=(), changes=(), comparison=(), refusals=())


def sheet(**more):
    return response_sheet(response(**more), {exam.uid: exam for exam in exams()}, EN)


def chart(one=None, views=None):
    drawn = sum_chart(one or response(), {exam.uid: exam for exam in views or exams()}, EN)
    return ET.fromstring(str(drawn))  # noqa: S314 - our own


def of_class(svg, name):
    return [one for one in svg.iter() if name in (one.get("class") or "").split()]


def test_a_row_an_exam_from_the_baseline_on_with_sum_changes_and_answer():
    rows = sheet().rows
    assert [row.exam for row in rows] == ["E01", "E02", "E03", "E04"]
    assert [row.response for row in rows] == [None, Response.PARTIAL, Response.NOT_EVALUABLE, Response.PROGRESSIVE]
    # 48, 32.1 and a node of 16 mm short axis; then 33, 21 and 10; at last 29, 20 and 8.
    assert [row.total for row in rows] == ["96.1 ± 3.0", "64.0 ± 3.0", "–", "57.0 ± 3.0"]
    assert (rows[1].from_baseline, rows[3].from_baseline, rows[3].from_nadir) == ("−33.4%", "−40.6%", "−10.9%")


def test_percentages_are_cut_so_that_what_is_no_partial_response_does_not_read_as_one():
    for later_mm, shown in ((70.04, "−29.9%"), (70.0, "−30.0%"), (119.96, "+19.9%"), (100.0, "0.0%")):
        lesions = {0: {"liver": 100.0}, 56: {"liver": later_mm}}
        one = response(lesions)
        # The rules compare whole tenths of a millimetre; a percentage of finer sizes may lie between two tenths.
        answer = replace(one.points[0].answer, baseline_percent=later_mm - 100.0)
        told = replace(one, points=(replace(one.points[0], answer=answer),))
        row = response_sheet(told, {exam.uid: exam for exam in exams(lesions)}, EN).rows[1]
        assert row.from_baseline == shown


def test_what_is_missing_is_a_dash_with_its_reason_and_what_a_reader_has_to_confirm():
    row = sheet().rows[2]
    assert (row.total, row.from_baseline, row.from_nadir) == ("–", "–", "–")
    assert "Without the size of every target there is no sum." in map(str, row.reasons)
    assert any("lung" in str(one) for one in row.questions)
    gone = {0: {"liver": 20.0}, 56: {}, 112: {}}
    one = response({0: {"liver": 20.0}, 56: {"liver": 20.0}})
    nothing = replace(one.points[0].answer, sum_mm=0.0, baseline_percent=-100.0, nadir_percent=None)
    told = replace(one, points=(replace(one.points[0], answer=nothing),))
    rows = response_sheet(told, {exam.uid: exam for exam in exams(gone)}, EN).rows
    assert "From a sum of 0 mm there is no percentage." in map(str, rows[1].reasons)


def test_each_target_is_listed_with_the_axis_that_counts_and_its_sizes():
    sizes = {one.lesion: (str(one.axis), one.sizes) for one in sheet().sizes}
    assert sizes["liver"] == ("longest diameter", ("48.0", "33.0", "30.0", "29.0"))
    assert sizes["lung"][1][2] == "–"


def test_without_an_uncertainty_none_is_shown():
    assert sheet(uncertainty=None).rows[0].total == "96.1"


def test_everything_that_can_be_answered_has_words_a_colour_and_an_icon():
    assert set(RESPONSE_WORDS) == set(ICONS) == set(Response) == set(STYLES) - {None}
    assert set(NON_TARGET_WORDS) == set(NonTargets)
    assert set(NEW_LESION_WORDS) == set(NewLesion)


def test_the_chart_draws_no_line_over_an_exam_without_a_sum():
    svg = chart()
    assert len(of_class(svg, "trend-line")) == 1
    assert len(of_class(svg, "point")) == 4
    assert [one.text for one in of_class(svg, "unknown")] == ["?"]
    assert [one.text for one in of_class(svg, "answer")] == ["PR", "NE", "PD"]


def test_the_limit_of_progression_falls_with_the_smallest_sum():
    (limit,) = of_class(chart(), "progress")
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", limit.get("d"))]
    # From the baseline's sum to that of the second exam, which then is the smallest: lower on the page is larger.
    assert heights[0] == heights[1]
    assert heights[2] > heights[1]
    assert len(set(heights[2:])) == 1


def test_exams_of_unknown_days_stand_in_their_order():
    unknown = tuple(replace(exam, day=None) for exam in exams())
    assert next(one.text for one in of_class(chart(views=unknown), "axis-title")) == "exam, in order"


def test_without_targets_there_is_no_chart():
    small = response({0: {"a": 6.0}, 56: {"a": 6.0}})
    assert sum_chart(small, {}, EN) is None
    views = {exam.uid: exam for exam in exams({0: {}, 56: {}})}
    assert response_sheet(small, views, EN).rows[0].total == "–"


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_page_shows_it_as_a_calculation_with_what_to_confirm(code):
    html = page(with_response(NOTHING), Language.of(code))
    read = Reader(html)
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)
    if code == "en":
        assert "for a reader to confirm: it is no diagnosis" in read.said
        assert "2 points have to be confirmed" in read.said
        assert "Not calculated for 2 patients: RECIST 1.1 measures on CT or MR" in read.said
        assert read.said.count("A reader has to confirm:") == 1
        assert "bone is new, by the images (97 % sure)." in read.said


def test_without_lesions_the_page_says_nothing_of_it():
    assert "RECIST" not in page(NOTHING, EN)
    assert not response_section(NOTHING, EN)


def test_programs_get_the_same_with_sizes_and_uncertainties():
    told = as_json(with_response(NOTHING), EN)
    (one,) = told["responses"]
    assert one["baseline_sizes_mm"] == pytest.approx([48.0, 32.1, 16.0])
    assert [exam["response"] for exam in one["exams"]] == ["PR", "NE", "PD"]
    assert (one["exams"][0]["sum_uncertainty_mm"], one["exams"][1]["sum_uncertainty_mm"]) == (1.5, None)
    assert one["exams"][2]["new_lesion"] == "unequivocal"
    assert [missing["patient"] for missing in told["without_response"]] == ["P-003", "P-006"]


def test_what_people_wrote_is_escaped():
    one = replace(response(), targets=(HOSTILE, HOSTILE, HOSTILE), patient=HOSTILE, modality=HOSTILE)
    html = page(replace(with_response(NOTHING), responses=(one,)), EN)
    assert html.count("<script") == 1
    assert "<script>alert(1)</script>" in Reader(html).said


def test_on_another_page_exams_lead_to_their_own_pages():
    pieces = embedded(with_response(NOTHING), EN, exam_path="/exam/{uid}", exams=())
    assert 'href="/exam/P1.56"' in pieces.responses
    assert not embedded(NOTHING, EN, exam_path="/exam/{uid}", exams=()).responses
