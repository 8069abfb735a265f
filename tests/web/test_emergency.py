"""An exam of another hospital, found by its patient, opened in an emergency, seen in the viewer, and closed again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.engine.making import BRUNO
from tests.web.viewing import SHADES, given_case

from bingcheng.archive.authorisation import Role
from bingcheng.archive.people.hospital import change_hospital, make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.archive.people.session import begin_session

AHEAD = "const now = Date.now; let ahead = 0; Date.now = () => now() + ahead; window.wait = (ms) => { ahead += ms; };"
"""A clock that a test can put forward: a page asks only now and then whether it still may show what it shows."""
REASON = "Unconscious after a fall, the earlier CT is needed"


@pytest.fixture
def stranger(running, browser):
    """A window of a radiologist of a hospital that has no exam; the one that has them lets others open one."""
    site = running.site
    with site.workspace.writing() as connection:
        change_hospital(connection, running.north, name="North", emergency=True)
        east = make_hospital(connection, name="East", code="E", now=site.now())
        person = make_person(
            connection, login="ester", name="Ester", hospital=east, roles=[Role.RADIOLOGIST], now=site.now()
        )
        secret = begin_session(connection, person, now=site.now())
    window = running.window(browser, secret=secret)
    window.page.add_init_script(AHEAD)
    yield window
    window.context.close()


def test_from_the_patient_s_number_to_the_images_and_to_the_end_by_keyboard(running, stranger):
    page, site = stranger.page, running.site
    stranger.open("/emergency")
    page.focus("#f-reason")
    for words in (REASON, BRUNO.patient_id, "", "", "", ""):  # a date has three parts
        page.keyboard.type(words)
        page.keyboard.press("Tab")
    page.keyboard.type(" ".join(reversed(BRUNO.name.split("^"))))
    page.keyboard.press("Enter")
    page.wait_for_url("**/emergency/exams")
    shown = page.inner_text("main")
    assert BRUNO.name.split("^")[0] not in shown
    assert "North" in shown
    page.focus("main table button")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/quicklook/{running.study}")

    stranger.open(running.viewer(series=True))
    assert stranger.until(SHADES)
    assert stranger.until("document.querySelectorAll('[data-cy=\"study-browser-thumbnail\"]').length") >= 2

    stranger.open(f"/quicklook/{running.study}")
    page.focus("[data-stack]")
    real, site.now = site.now, lambda: real() + timedelta(minutes=61)
    try:
        with site.workspace.writing() as connection:
            connection.exec_driver_sql("UPDATE session SET seen_at = datetime('now', '+61 minutes')")
        site.believed.forget()
        page.evaluate("() => window.wait(60_000)")
        page.keyboard.press("ArrowDown")
        page.wait_for_selector("a[href^='/emergency?study_uid=']")
        assert "closed again" in page.inner_text("main")
        assert not page.query_selector("[data-stack]")
    finally:
        site.now = real


def test_who_leafs_through_a_case_sees_it_shut_when_it_is_taken_back(running, browser):
    case = given_case(running)
    window = running.window(browser, secret=case.secret)
    window.page.add_init_script(AHEAD)
    window.open(f"/quicklook/{case.study}")
    page = window.page
    page.focus("[data-stack]")
    page.keyboard.press("ArrowDown")
    case.withdraw()
    page.evaluate("() => window.wait(60_000)")
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("[data-stack]", state="detached")
    assert "isn't yours to see" in page.inner_text("main")
    window.context.close()
