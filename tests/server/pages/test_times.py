"""Times stand in the zone of the hospital, those of exams as the scanner wrote them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from tests.archive.conftest import record

from bingcheng.archive.store import save_exam
from bingcheng.core.errors import InputError
from bingcheng.server.pages.page import scanner_time, when, zone_name
from bingcheng.server.settings import Settings, load_settings

EVENING = datetime(2026, 3, 1, 20, 30)  # noqa: DTZ001 - UTC, as times stand in the database


def test_a_time_is_shown_in_the_zone_and_an_exam_s_as_it_stands():
    assert when(EVENING) == "2026-03-01 20:30"
    assert when(EVENING, zone=ZoneInfo("Asia/Shanghai")) == "2026-03-02 04:30"
    assert scanner_time(EVENING) == "2026-03-01 20:30"
    assert when(None) == scanner_time(None) == "–"


def test_the_zone_has_a_name():
    assert zone_name(Settings(time_zone="Asia/Shanghai"), EVENING) == "Asia/Shanghai"
    assert zone_name(Settings(), EVENING).startswith("UTC")


@pytest.mark.parametrize("name", ["Asia/Nowhere", "../../etc/passwd", "/etc/passwd", "CST6"])
def test_a_zone_that_is_none_is_refused(name):
    with pytest.raises(InputError) as raised:
        load_settings({"time_zone": name}, {})
    assert raised.value.reason.facts["name"] == "time_zone"


def test_pages_say_which_zone_and_keep_the_scanner_s_time(serve):
    served = serve(time_zone="Asia/Shanghai", language="en")
    save_exam(served.site.workspace, record("1.2.1", site="North", performed_at=EVENING, series=0))
    served.clock.now = EVENING
    page = served.browser("radiologist").get("/worklist", headers={"accept": "text/html"}).text
    assert "2026-03-01 20:30" in page
    assert "Asia/Shanghai" in page
    people = served.browser("site-admin")
    people.post("/admin/people/invite", data={"role": ["guest"]})
    assert "2026-03-09 04:30" in people.get("/admin/people").text, "seven days later, in the hospital's zone"
