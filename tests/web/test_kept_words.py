"""Words are not lost when the session ends before they are sent, and are sent once however often one presses."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from tests.archive.people.quick import quick_hashing, quick_passwords
from tests.web.listening import free_port, listening

from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.server.application import application, open_site
from bingcheng.server.settings import Settings

pytestmark = pytest.mark.slow

PASSWORD = "a long enough sentence"  # noqa: S105 - of people who don't exist
THOUGHT = "A long thought that must not be lost"


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """A hospital with a radiologist, and no exam."""
    port = free_port()
    with quick_hashing():
        site = open_site(Settings(workspace=tmp_path_factory.mktemp("platform") / "workspace", port=port))
    with site.workspace.writing() as connection:
        made = {"now": site.now(), "password_hash": quick_passwords().hashed(PASSWORD)}
        north = make_hospital(connection, name="North", code="N", now=site.now())
        make_person(connection, login="north", name="Dr North", hospital=north, roles=[Role.RADIOLOGIST], **made)
    with listening(application(site.settings, site=site), port) as address:
        yield SimpleNamespace(address=address, site=site)
    site.close()


@pytest.fixture
def window(browser, platform):
    """The radiologist's window on a form with a text; what goes wrong in it is kept."""
    page = browser.new_context(locale="en-GB").new_page()
    sign_in(page, platform)
    page.goto(f"{platform.address}/collections")
    yield page
    page.context.close()


def sign_in(page, platform) -> None:
    page.goto(f"{platform.address}/login")
    page.get_by_label("Name to sign in with").fill("north")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile("/worklist"))


def write(page, title: str) -> None:
    page.locator("main [name=title]").fill(title)
    page.locator("main textarea").fill(THOUGHT)


def send(page):
    return page.locator("main form:has(textarea) button.main")


def test_words_stay_though_the_session_ended_right_after_the_page_was_shown(window, platform):
    write(window, "Kept")
    other = window.context.new_page()
    other.goto(f"{platform.address}/account")
    other.get_by_role("button", name="Sign out", exact=True).click()
    other.wait_for_url(re.compile("/login"))
    send(window).click()
    window.locator("main").get_by_text("You are signed out, and nothing was sent.").wait_for()
    assert window.locator("main textarea").input_value() == THOUGHT
    sign_in(other, platform)
    with window.expect_navigation():
        send(window).click()
    assert window.locator("h1").inner_text() == "Kept"


def test_pressing_twice_sends_once(window, platform):
    write(window, "Pressed twice")
    sent = []
    window.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    with window.expect_navigation():
        send(window).dblclick()
    window.goto(f"{platform.address}/collections")
    assert window.get_by_role("link", name="Pressed twice").count() == 1
    assert len(sent) == 1


def test_after_going_back_the_form_can_be_sent_again(window):
    write(window, "First")
    with window.expect_navigation():
        send(window).click()
    window.go_back()
    write(window, "Second")
    with window.expect_navigation():
        send(window).click()
    assert window.locator("h1").inner_text() == "Second"


def shown_once(window, platform):
    """The new token on the page that shows it once."""
    window.goto(f"{platform.address}/account")
    form = window.locator('form[action="/account/tokens"]')
    form.locator("[name=label]").fill("a program")
    form.locator("[name=scope]").first.check()
    form.locator("button").last.click()
    secret = window.locator(".secret")
    secret.wait_for(timeout=5000)
    return secret


def save_name(window) -> None:
    window.locator('form[action="/account/profile"] button').click()


def test_a_secret_that_was_not_copied_is_not_left_behind_unasked(window, platform):
    asked, answers, sent = [], [False, True], []
    secret = shown_once(window, platform)

    def answered(dialog):
        asked.append((dialog.type, dialog.message))
        dialog.accept() if answers.pop(0) else dialog.dismiss()

    window.on("dialog", answered)
    window.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    save_name(window)
    assert asked == [("confirm", "What is shown here once was not copied yet. Go on without it?")]
    assert sent == []
    assert secret.is_visible()
    with window.expect_navigation():
        save_name(window)
    assert len(asked) == 2
    assert len(sent) == 1


def test_the_browser_asks_too_before_a_page_with_a_secret_is_left(window, platform):
    asked = []
    window.on("dialog", lambda one: (asked.append(one.type), one.accept()))
    shown_once(window, platform).click()  # browsers ask only who has touched the page
    window.goto(f"{platform.address}/account")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_secret_is_copied_and_then_nobody_is_asked(window, platform, encrypted):
    window.on("dialog", lambda one: pytest.fail(one.message))
    if encrypted:
        window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    else:
        window.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    secret = shown_once(window, platform)
    token = secret.locator("input").input_value()
    secret.get_by_role("button").click()
    secret.get_by_text("Copied.").wait_for(timeout=5000)
    name = window.locator("#f-name")
    name.focus()
    window.keyboard.press("Control+a")
    window.keyboard.press("Control+v")
    assert name.input_value() == token
    name.fill("Dr North")
    with window.expect_navigation():
        save_name(window)


def test_a_secret_that_is_shown_once_stands_still_when_the_language_is_changed(window, platform):
    secret = shown_once(window, platform)
    shown = secret.inner_html()
    with window.context.expect_page(timeout=5000) as opened:
        window.get_by_role("button", name="中文").click()
    opened.value.wait_for_load_state()
    assert opened.value.locator("html").get_attribute("lang") == "zh-CN", "the choice holds from the next page on"
    assert secret.inner_html() == shown
    opened.value.get_by_role("button", name="English").click()
    opened.value.locator('html[lang="en"]').wait_for()
