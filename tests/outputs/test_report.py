"""The page holds what the assessment says, escaped, once, and without a word from elsewhere."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from base64 import b64encode
from dataclasses import replace
from datetime import date
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from tests.outputs.example import finding, study

from bingcheng.compare.change import Verdict
from bingcheng.core.finding import Outcome, Trust
from bingcheng.core.wording import text
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.page import page, write_report
from bingcheng.outputs.report.slices import Slices, close_up_mm
from bingcheng.outputs.report.strips import divided_bar
from bingcheng.outputs.report.svg import Scale, element
from bingcheng.outputs.report.trend import Trend, TrendPoint, trend_chart

EN = Language.of("en")
VOID = {"meta", "link", "br", "input", "hr", "img"}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


class Reader(HTMLParser):
    """Collects tags, identifiers, links and attributes, and checks that every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"closed before it was opened: {tag}"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in {"style", "script"}:
            self.words.append(data)

    @property
    def said(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    return study()


@pytest.fixture(scope="module")
def html(assessment: Assessment) -> str:
    return page(assessment, EN)


@pytest.fixture(scope="module")
def read(html: str) -> Reader:
    return Reader(html)


def test_the_page_is_written_whole_into_a_new_folder(assessment: Assessment, tmp_path: Path) -> None:
    path = write_report(assessment, tmp_path / "a" / "b", EN)
    assert path == tmp_path / "a" / "b" / "index.html"
    assert [p.name for p in path.parent.iterdir()] == ["index.html"]
    assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_writing_it_again_gives_the_same_bytes(assessment: Assessment, html: str) -> None:
    assert page(assessment, EN) == html


def test_twelve_exams_stay_far_below_fifteen_megabytes(html: str) -> None:
    assert len(html.encode()) < 15_000_000


def test_nothing_comes_from_outside_the_file(read: Reader, html: str) -> None:
    inward = ("#", "data:image/png;base64,", "data:,")
    assert all(link.startswith(inward) for link in read.links)
    assert not [value for name, value in read.attributes if name in {"src", "srcset", "action", "poster", "style"}]
    assert not re.findall(r"url\(|@import|https?://", html)


def test_every_identifier_is_unique_and_every_link_leads_somewhere(read: Reader) -> None:
    assert len(read.ids) == len(set(read.ids))
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)


def test_the_security_policy_names_exactly_the_style_and_script_of_the_page(html: str) -> None:
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        content = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert len(content) == 1
        digest = b64encode(sha256(content[0].encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in html
    assert "unsafe-inline" not in html


def test_each_picture_is_embedded_once(read: Reader) -> None:
    pictures = [link for link in read.links if link.startswith("data:image/png")]
    assert pictures
    distinct_bytes = len(set(pictures))
    # The example shows each lesion's slice in the lesion's card, in the exam, and without contours for the series.
    assert len(pictures) <= 2 * 12
    assert distinct_bytes == 6


def test_there_is_one_main_heading_and_no_level_is_skipped(read: Reader) -> None:
    levels = [int(tag[1]) for tag in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_slice_and_chart_has_words_for_those_who_cannot_see_it(html: str) -> None:
    assert 'class="slice"' in html
    for tag in re.findall(r"<svg[^>]*>", html):
        assert 'aria-label="' in tag or 'aria-hidden="true"' in tag


def test_verdicts_stand_in_words_and_not_in_colour_alone(read: Reader) -> None:
    for words in ("Real change", "Within repeatability", "Not comparable", "Can't be judged"):
        assert words in read.said


def test_reasons_remedies_and_owners_are_read_out(read: Reader) -> None:
    for words in (
        "Slice thickness went from 1.25 mm to 5 mm.",
        "Reconstruct the follow-up at 1.25 mm with the kernel of the first exam.",
        "found 5 mm · asked at most 2.5 mm",
        "The header holds no convolution kernel.",
        "The header gives no patient weight, so no SUV can be computed.",
        "quantify.no-weight",
        "Slices are missing between −112.5 and −107.5 mm.",
        "archive administrator",
        "2 files named .dcm hold no DICOM.",
        "unverified",
        "QIBA Profile: CT Tumor Volume Change, 2022, section 3.4.2",
    ):
        assert words in read.said


def test_the_disclaimer_stands_once(read: Reader) -> None:
    assert read.said.count("not a medical device") == 1


def test_what_comes_from_headers_and_files_is_escaped(assessment: Assessment) -> None:
    exam = assessment.exams[0]
    series = replace(
        exam.series[0],
        device=HOSTILE,
        description=HOSTILE,
        facts=((text("Contrast"), text("{value}", value=HOSTILE)),),
        lesions=tuple(replace(lesion, label=HOSTILE, method=HOSTILE) for lesion in exam.series[0].lesions),
    )
    hostile = replace(
        exam,
        site=HOSTILE,
        patient=HOSTILE,
        description=HOSTILE,
        label=HOSTILE,
        series=(series,),
        refusals=(replace(assessment.refusals[0], subject=HOSTILE, reason=text("{what}", what=HOSTILE)),),
        findings=(finding("x", HOSTILE, Outcome.FAIL, source=HOSTILE),),
    )
    lead = assessment.changes[0].lead
    assert lead is not None
    before = replace(lead.before, device=HOSTILE, site=HOSTILE)
    change = replace(assessment.changes[0], label=HOSTILE, patient=HOSTILE, lead=replace(lead, before=before))
    change = replace(change, history=(before, lead.after))
    html = page(
        replace(
            assessment,
            exams=(hostile, *assessment.exams[1:]),
            changes=(change,),
            sites=(replace(assessment.sites[0], site=HOSTILE, devices=(HOSTILE,)), *assessment.sites[1:]),
            comparison=tuple(replace(row, site=HOSTILE, device=HOSTILE) for row in assessment.comparison),
        ),
        EN,
    )
    read = Reader(html)
    assert html.count("<script") == 1
    assert "img" not in read.tags
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in read.said


def test_a_folder_without_lesions_says_how_to_get_measurements(assessment: Assessment) -> None:
    bare = tuple(
        replace(exam, series=tuple(replace(series, lesions=(), image=None) for series in exam.series))
        for exam in assessment.exams
    )
    said = Reader(page(replace(assessment, exams=bare, changes=(), comparison=()), EN)).said
    assert "Add a DICOM SEG or RTSTRUCT beside the images" in said
    assert "These hospitals have no measure in common yet." in said


def at_one(assessment: Assessment, site: str) -> Assessment:
    """The same exams, all of one hospital."""
    return replace(
        assessment,
        sites=(replace(assessment.sites[0], site=site),),
        exams=tuple(replace(exam, site=site) for exam in assessment.exams),
        comparison=tuple(replace(row, site=site, flagged=False) for row in assessment.comparison),
    )


def test_one_hospital_is_not_set_beside_itself(assessment: Assessment) -> None:
    html = page(at_one(assessment, "Songhua Tumour Hospital"), EN)
    assert "It takes two hospitals to compare." in html
    assert 'class="comparison' not in html
    assert "names no hospital" not in html


def test_exams_of_no_named_hospital_are_none_to_compare_with(assessment: Assessment) -> None:
    said = Reader(page(at_one(assessment, ""), EN)).said
    assert "It takes two hospitals to compare." in said
    assert "Exams whose header names no hospital don't count" in said


def test_a_measure_that_one_hospital_has_alone_is_named_and_not_drawn(assessment: Assessment) -> None:
    shared = [row for row in assessment.comparison if row.key == "noise"]
    alone = next(row for row in assessment.comparison if row.key == "liver_suv_mean")
    read = Reader(page(replace(assessment, comparison=(*shared, alone)), EN))
    assert "Measured at one hospital only: Liver SUV, mean." in read.said
    assert [value for name, value in read.attributes if name == "class" and value.startswith("comparison")] == [
        "comparison flagged"
    ]


def test_why_hospitals_can_t_be_judged_by_a_measure_is_said_once(assessment: Assessment) -> None:
    why = text("Too few exams to judge by: {count} values on {scanners} scanners.", count=3, scanners=3)
    rows = tuple(replace(row, flagged=False, explanation=why) for row in assessment.comparison if row.key == "noise")
    assert Reader(page(replace(assessment, comparison=rows), EN)).said.count("Too few exams to judge by: 3") == 1


def test_a_scanner_without_serial_number_is_shown_with_vendor_and_model(assessment: Assessment) -> None:
    exam = assessment.exams[0]
    series = tuple(replace(one, device="SIEMENS Skyra #?") for one in exam.series)
    sites = (replace(assessment.sites[0], devices=("SIEMENS Skyra #?", "")), *assessment.sites[1:])
    told = replace(assessment, exams=(replace(exam, series=series), *assessment.exams[1:]), sites=sites, changes=())
    said = Reader(page(told, EN)).said
    assert said.count("SIEMENS Skyra (serial number not recorded)") == 2
    assert "scanner not recorded" in said
    assert "#?" not in said


def test_a_finding_names_its_protocol_by_title_and_by_identifier(assessment: Assessment) -> None:
    called = replace(finding("a", "A", Outcome.FAIL), protocol_title=text("CT by consent"))
    exam = replace(assessment.exams[0], findings=(called,))
    said = Reader(page(replace(assessment, exams=(exam,), changes=()), EN)).said
    assert "broke “CT by consent”: A." in said
    assert "Not met A CT by consent" in said
    assert "ct_volumetry / a" in said


def test_what_was_found_and_asked_is_not_said_twice(assessment: Assessment) -> None:
    found, asked = text("{value} mm", value=6), text("at most {limit}", limit=text("{value} mm", value=5))
    repeats = text("{measured} where the protocol asks for {limit}: {distance} outside", measured=found, limit=asked)
    told = text("{measured} where the protocol asks for {limit}; {why}", measured=found, limit=asked, why="a fold")
    for reason, shown in ((replace(repeats, facts={**repeats.facts, "distance": "1 mm"}), False), (told, True)):
        failed = finding("a", "A", Outcome.FAIL, measured=found, limit=asked, reason=reason, distance=1.0, unit="mm")
        exam = replace(assessment.exams[0], findings=(failed,))
        said = Reader(page(replace(assessment, exams=(exam,), changes=()), EN)).said
        assert "found 6 mm · asked at most 5 mm · 1 mm outside" in said
        assert ("where the protocol asks for" in said) is shown


def test_a_change_that_has_no_percentage_is_told_in_its_unit(assessment: Assessment) -> None:
    change = assessment.changes[0]
    plain = replace(change.changes[1], percent=None, difference=5.24)
    html = page(replace(assessment, changes=(replace(change, changes=(change.changes[0], plain)),)), EN)
    assert '<td class="number">+5.2 mm</td>' in html


def test_an_assessment_of_nothing_is_still_a_page(assessment: Assessment) -> None:
    nothing = replace(assessment, sites=(), exams=(), changes=(), comparison=(), refusals=())
    read = Reader(page(nothing, EN))
    assert "No exam was found" in read.said
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)


def test_measures_without_limits_stand_apart_from_those_that_were_judged(assessment: Assessment) -> None:
    change = assessment.changes[0]
    weak = replace(change.changes[1], verdict=Verdict.UNKNOWN, limits_percent=None)
    html = page(replace(assessment, changes=(replace(change, changes=(change.changes[0], weak)),)), EN)
    assert "1 measure without limits to judge it by" in html
    assert html.index("decides") < html.index("1 measure without limits")


def test_a_hospital_without_a_name_is_shown_but_not_counted(assessment: Assessment) -> None:
    nameless = replace(assessment.exams[0], site="")
    sites = (replace(assessment.sites[0], site=""), *assessment.sites[1:])
    said = Reader(page(replace(assessment, exams=(nameless, *assessment.exams[1:]), sites=sites), EN)).said
    assert "(hospital not named)" in said
    assert "2 hospitals ·" in said


def test_a_change_without_any_value_is_told_without_a_chart(assessment: Assessment) -> None:
    change = replace(assessment.changes[0], verdict=Verdict.UNKNOWN, lead=None, changes=(), history=())
    said = Reader(page(replace(assessment, changes=(change,)), EN)).said
    assert "There is no value to draw." in said


def test_identified_output_is_marked_as_such(assessment: Assessment) -> None:
    exam = replace(assessment.exams[0], performed_on=date(2026, 11, 24))
    said = Reader(page(replace(assessment, identified=True, exams=(exam, *assessment.exams[1:])), EN)).said
    assert "keep it inside the hospital" in said
    assert "24 Nov 2026" in said


def test_the_page_speaks_chinese_and_says_so(assessment: Assessment) -> None:
    html = page(assessment, Language.of("zh_CN"))
    assert '<html lang="zh-CN">' in html
    said = Reader(html).said
    for english in ("Lesions over time", "What to do", "Hospitals", "Search", "Real change"):
        assert english not in said


def test_an_unverified_limit_is_marked_wherever_it_stands(assessment: Assessment) -> None:
    exam = replace(assessment.exams[0], findings=(finding("a", "A", Outcome.FAIL, trust=Trust.UNVERIFIED),))
    html = page(replace(assessment, exams=(exam,), changes=()), EN)
    assert '<span class="tag">unverified</span>' in html
    assert "Nothing that is required is missing or broken." in html


def test_pictures_beyond_the_budget_are_left_out_and_said_to_be(assessment: Assessment) -> None:
    image = assessment.exams[0].series[0].lesions[0].image
    assert image is not None
    slices = Slices(EN, budget_bytes=len(image.png) * 4 // 3)
    assert "<svg" in slices.whole(image, "a")
    assert "<svg" in slices.close_up(image, 60.0, "a")
    assert "left out" in slices.whole(replace(image, pixel_mm=9.0), "b")
    assert slices.definitions().count("<image") == 1


def test_both_time_points_are_shown_at_the_same_scale(assessment: Assessment) -> None:
    images = [exam.series[0].lesions[0].image for exam in assessment.exams[:2]]
    shown = [image for image in images if image is not None]
    finer = replace(shown[0], pixel_mm=shown[0].pixel_mm / 2)
    side_mm = close_up_mm([finer, shown[1]])
    slices = Slices(EN)
    for image in (finer, shown[1]):
        view = re.search(r'viewBox="([^"]+)"', slices.close_up(image, side_mm, ""))
        assert view is not None
        width = float(view.group(1).split()[2])
        assert width * image.pixel_mm == pytest.approx(side_mm, rel=1e-3)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 17.9), (1e-6, 3e-6), (999.0, 1001.0), (0.0, 1e7)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    ticks = Scale(low, high, 0, 100).ticks(5)
    assert 2 <= len(ticks) <= 7
    assert all(low <= tick <= high for tick in ticks)
    step = ticks[1] - ticks[0]
    assert float(f"{step:.0e}"[0]) in {1, 2, 5}


def test_an_axis_of_equal_values_has_room() -> None:
    scale = Scale.around([0.0, 0.0], 0.0, 100.0)
    assert scale.low < 0 < scale.high


def test_the_band_lies_around_the_first_value(assessment: Assessment) -> None:
    points = tuple(TrendPoint(x=x, value=value, expanded=1.0, exam="E", device="D") for x, value in ((0, 10), (30, 20)))
    trend = Trend(
        label="Volume", unit="ml", points=points, in_days=True, limits_percent=(-20, 30), baseline=0, verdict="real"
    )
    svg = ET.fromstring(str(trend_chart(trend, EN)))  # noqa: S314 - our own drawing
    band = next(part for part in svg if part.get("class") == "band")
    marks = [float(mark.get("cy") or "nan") for mark in svg.iter("circle")]
    top, height = float(band.get("y") or "nan"), float(band.get("height") or "nan")
    # 10 ml lies 2 of 5 parts above the band's lower end (8 to 13 ml); 20 ml lies above the band.
    assert marks[0] == pytest.approx(top + height * 3 / 5, abs=0.05)
    assert marks[1] < top


def test_a_bar_divides_its_width_as_the_counts() -> None:
    widths = [float(w) for w in re.findall(r'width="([\d.]+)"', divided_bar([("pass", 3, "a"), ("fail", 1, "b")]))]
    assert (widths[0] + 2) / (widths[1] + 2) == pytest.approx(3.0)
    assert divided_bar([("pass", 0, "a")]) == ""


def test_svg_text_and_attributes_are_escaped() -> None:
    assert element("text", "<b>", x=1.0, data_tip='"&') == '<text x="1" data-tip="&#34;&amp;">&lt;b&gt;</text>'
