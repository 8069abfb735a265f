"""The list of cases can be narrowed down, and what narrows it down does not push the list away."""

from __future__ import annotations

import re

import pytest

from bingcheng.archive.cases.case import CaseStatus, Written, make_case, set_status

TAGS = tuple(f"tag-{number:02}" for number in range(20))


def reader_of(served, tags):
    """The browser of who sees cases, each with a tag of its own."""
    made = {"hospital": served.north, "author": served.people["radiologist"], "profile": "teaching"}
    with served.site.workspace.writing() as connection:
        for tag in tags:
            written = Written(title=f"Case of {tag}", tags=(tag,))
            case = make_case(connection, **made, written=written, now=served.clock())
            set_status(connection, case, CaseStatus.PUBLISHED, served.clock())
    browser = served.browser("radiologist")
    browser.headers.update({"accept": "text/html", "accept-language": "en"})
    return browser


@pytest.fixture
def reader(served):
    """The browser of who sees twenty."""
    return reader_of(served, TAGS)


def folded(page: str) -> tuple[str, str]:
    """What stands open of the tags, and the part that can be unfolded."""
    facet = re.search(r'<div class="facet"><h2>Tags</h2>(.*?)</div>', page, re.DOTALL)[1]
    shown, rest = facet.split("<details", 1)
    return shown, rest


def test_ten_tags_stand_open_and_the_others_are_unfolded_on_wish(reader):
    shown, rest = folded(reader.get("/cases").text)
    assert re.findall(r"tag=(tag-\d\d)", shown) == list(TAGS[:10])
    assert re.findall(r"tag=(tag-\d\d)", rest) == list(TAGS[10:])
    assert rest.startswith("><summary>10 more</summary>")


def test_a_tag_that_was_chosen_is_seen_though_it_is_none_of_the_first_ten(reader):
    _, rest = folded(reader.get(f"/cases?tag={TAGS[-1]}").text)
    assert rest.startswith(" open>")
    assert f"{TAGS[-1]} ×" in rest


def test_a_few_more_than_ten_are_not_folded(served):
    page = reader_of(served, TAGS[:12]).get("/cases").text
    facet = re.search(r'<div class="facet"><h2>Tags</h2>(.*?)</div>', page, re.DOTALL)[1]
    assert re.findall(r"tag=(tag-\d\d)", facet) == list(TAGS[:12])
    assert "<details" not in facet
