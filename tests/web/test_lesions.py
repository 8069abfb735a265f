"""A reader works through what waits in a real browser: from the list to the lesions, confirmed and taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.archive.conftest import MONDAY
from tests.server.conftest import serving
from tests.server.follow_up.conftest import AFTER, ANNA, BEFORE, EARLIER, LATER, exam, propose
from tests.web.listening import free_port, listening

from bingcheng.archive.matchings import decisions
from bingcheng.archive.people.session import begin_session
from bingcheng.archive.store import save_exam
from bingcheng.engine.follow_up.waiting import see_to_waiting

pytestmark = pytest.mark.slow

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
OVERFLOWS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def house(tmp_path):
    """A server with one patient of whom two links wait."""
    port = free_port()
    served = serving(tmp_path / "workspace", port=port)
    save_exam(served.site.workspace, exam(EARLIER, MONDAY, BEFORE))
    save_exam(served.site.workspace, exam(LATER, MONDAY + timedelta(days=56), AFTER))
    propose(served.site.workspace)
    see_to_waiting(served.site.workspace)
    with listening(served.application, port):
        yield served
    served.close()


@pytest.fixture
def page(house, browser):
    """A page of Chromium in which the radiologist is signed in."""
    address = f"http://127.0.0.1:{house.site.settings.port}"
    with house.site.workspace.writing() as connection:
        secret = begin_session(connection, house.people["radiologist"], now=house.clock())
    context = browser.new_context(base_url=address, viewport=WIDE, locale="en-GB")
    context.add_cookies([{"name": "bingcheng", "value": secret, "url": address}])
    yield context.new_page()
    context.close()


def test_a_patient_with_nothing_to_compare_has_a_page_without_faults(house, page):
    other = replace(ANNA, patient_id="K-2")
    save_exam(house.site.workspace, exam("1.2.3.9", MONDAY, BEFORE, other))
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"/patient/{house.site.workspace.pseudonym(other, 'North', '1.2.3.9')}/lesions")
    page.wait_for_selector("text=There is nothing to compare yet.")
    page.keyboard.press("c")
    assert faults == []


def test_what_waits_is_found_by_keys_confirmed_and_taken_back(house, page):
    page.goto("/worklist")
    page.click("text=In 1 patient it waits for you which lesion is which")
    page.wait_for_url("**/lesions")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/patient/*/lesions")
    assert page.locator(".link.waits").count() == 2
    for view in (WIDE, NARROW):
        page.set_viewport_size(view)
        assert not page.evaluate(OVERFLOWS), view
    row = page.locator(".link.waits", has_text="left → b + c")
    row.get_by_label("Why").fill("two pieces of it")
    row.get_by_role("button", name="Confirm: pieces of one lesion").click()
    page.wait_for_selector("text=Kept: left → b + c: one lesion")
    assert page.locator(".link.waits").count() == 1
    with house.site.workspace.reading() as connection:
        assert [one.edit.why for one in decisions(connection)] == ["two pieces of it"]
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector("text=Taken back: left → b + c: one lesion")
    assert page.locator(".link.waits").count() == 2
    with house.site.workspace.reading() as connection:
        assert decisions(connection) == ()
