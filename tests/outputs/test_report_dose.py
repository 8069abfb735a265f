from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.compare.dose_records import record

from bingcheng.compare.dose_overview import DoseOverview, dose_overview
from bingcheng.compare.dose_published import dose_rules
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.dose import dose_section, template_names
from bingcheng.outputs.report.page import environment

ENGLISH = Language.of("en")


def exams(sites: int, count: int) -> list:
    rng = np.random.default_rng(5)
    return [
        record(f"H{site:02d}", 8.0 + site + rng.normal(), exam=str(n), diameter_cm=float(rng.uniform(21.0, 36.0)))
        for site in range(sites)
        for n in range(count)
    ]


def overview(records: list) -> DoseOverview:
    return dose_overview(records, dose_rules())


def html(records: list, language: Language = ENGLISH) -> str:
    shown = overview(records)
    labels = {one.exam_uid: f"E{place:03d}" for place, one in enumerate(records)}
    section = dose_section(shown, language, labels, {one.exam_uid: f"exam-{one.exam_uid}" for one in records})
    templates = environment(language)
    templates.globals.update(template_names())
    return templates.get_template("dose.html.jinja").render(dose=section, language=language)


class Tags(HTMLParser):
    """Checks that every tag is closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_section_is_well_formed_and_names_levels_hospitals_and_exams():
    page = html(exams(12, 100))
    parser = Tags()
    parser.feed(page)
    assert parser.open == []
    assert page.count('class="chart dose-panel"') == 12
    assert "32 cm phantom" in page
    assert "Dw 25 to 29 cm" in page
    assert 'href="#exam-H' in page


def test_every_exam_is_a_dot_in_its_hospitals_panel():
    assert html(exams(3, 15)).count('class="dot"') == 45 + 1  # and one in the legend


def test_few_hospitals_are_shown_as_provisional_and_none_stands_out_by_them():
    page = html(exams(3, 15))
    assert "from 10 hospitals on that have 20 exams or more" in page
    assert "stand out" not in page


def test_many_exams_stay_a_light_page():
    page = html(exams(4, 400))
    # 1600 dots of about 130 bytes, four times at most 600 of 15 bytes behind them, and 30 kB of words
    assert len(page) < 300_000


def test_exams_without_a_diameter_have_levels_but_no_chart():
    records = [record("H1", 10.0, diameter_cm=None)]
    section = dose_section(overview(records), ENGLISH, {})
    assert section.procedures[0].chart == ""
    assert section.procedures[0].rows == ()
    assert section.missing


def test_no_dose_at_all_says_so_and_what_to_do():
    page = html([])
    assert "No exam states a CT dose" in page
    assert "RDSR" in page
    assert "reference level is no limit" not in page


def test_exams_that_state_no_dose_are_told_how_to_send_it_and_what_each_lacks():
    page = html([record("H1", 10.0, values={}, exam=str(n)) for n in range(3)])
    assert "No exam states a CT dose" in page
    assert "The exam states no DLP." in page


def test_exams_that_state_a_dose_are_told_nothing_of_the_kind():
    assert "No exam states a CT dose" not in html(exams(2, 3))


def test_what_is_missing_is_counted_by_exam_not_by_value():
    records = [record("H1", 10.0, exam=str(n), phantom_cm=None) for n in range(4)]
    counts = {str(reason): count for reason, _, _, count in dose_section(overview(records), ENGLISH, {}).missing}
    assert set(counts.values()) == {4}


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'H"1', "哈尔滨肿瘤医院"])
def test_names_of_hospitals_are_escaped(name):
    page = html([record(name, 10.0, exam=str(n)) for n in range(3)])
    assert "<script>" not in page
    assert re.search(r'class="panel-title"[^>]*>[^<]+</figcaption>', page)


def test_chinese_readers_get_the_section_too():
    assert 'id="dose"' in html(exams(2, 5), Language.of("zh"))
