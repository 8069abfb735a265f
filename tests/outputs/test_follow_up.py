"""How lesions were matched between exams, on the page and in tables: kind, confidence, who has to look, who decided."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from tests.outputs.example import study
from tests.outputs.links import link_view, matched_exams

from bingcheng.outputs.assessment import MatchedExams
from bingcheng.outputs.csv_table import as_csv
from bingcheng.outputs.follow_up.columns import LESION_LINKS
from bingcheng.outputs.follow_up.words import LINK_WORDS, waiting
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.page import page
from bingcheng.quantify.lesion.matching import LinkKind

EN = Language.of("en")


def section(*matched: MatchedExams) -> str:
    """The part of the page about links."""
    html = page(replace(study(), follow_up=matched), EN)
    return html.partition('<section id="follow-up"')[2].partition("</section>")[0]


@pytest.fixture(scope="module")
def shown():
    """The part of the page about the example's links."""
    return section(matched_exams())


def test_nothing_is_shown_where_nothing_was_matched():
    assert "Which lesion is which" not in page(study(), EN)


def test_each_link_is_told_with_kind_confidence_and_what_waits_for_a_reader(shown):
    for words in ("Same lesion", "97 % sure", "Split", "B + C", "62 % sure", "Vanished", "liver lies far away."):
        assert words in shown
    assert shown.count("needs a reader</span>") == 1
    assert "1 link needs a reader" in shown
    assert shown.index("Split") < shown.index("Same lesion")  # what waits comes first


def test_what_a_person_decided_names_the_person_and_the_reason(shown):
    assert "decided by Dr Li" in shown
    assert "no uptake left" in shown


def test_what_people_write_is_escaped():
    hostile = "<script>alert(1)</script>"
    decided = link_view(LinkKind.SAME, ("x",), ("y",), by=hostile, why=hostile)
    shown = section(replace(matched_exams(), links=(replace(decided, before=(hostile,)),)))
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_every_kind_has_a_word():
    assert set(LINK_WORDS) == set(LinkKind)


def test_links_that_wait_are_counted():
    assert waiting((matched_exams(), matched_exams())) == 2
    assert waiting(()) == 0


def test_the_table_has_a_row_a_link():
    rows = list(LESION_LINKS.rows(replace(study(), follow_up=(matched_exams(),))))
    read = list(csv.DictReader(io.StringIO(as_csv(LESION_LINKS.columns, rows).decode("utf-8-sig"))))
    assert [one["kind"] for one in read] == ["same", "split", "vanished"]
    assert (read[1]["lesions_after"], read[1]["confidence"], read[1]["needs_reader"]) == ("b + c", "0.62", "true")
    assert (read[2]["decided"], read[2]["decided_by"], read[2]["reasons"]) == ("true", "Dr Li", "no uptake left")
