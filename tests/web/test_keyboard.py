"""A first day without a mouse: from an empty folder to an administrator, and through the pages of an exam."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from tests.archive.people.quick import quick_hashing, quick_passwords
from tests.engine.making import ct, uid_of
from tests.web.listening import free_port, listening

from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.engine.run import Options, assess
from bingcheng.server.application import application, open_site
from bingcheng.server.settings import Settings
from bingcheng.server.site import utc_now

pytestmark = pytest.mark.slow

CODE = "ABCD-EFGH"
PASSWORD = "a long enough sentence"  # noqa: S105 - of people who don't exist
LONGEST_MS = 60_000
MOST_STEPS = 60
FOCUSED = "document.activeElement"
SEEN = f"""() => {{ const style = getComputedStyle({FOCUSED});
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2; }}"""


@pytest.fixture
def served(tmp_path):
    """A server on an empty folder."""
    port = free_port()
    with quick_hashing():
        site = open_site(Settings(workspace=tmp_path / "workspace", port=port))
    with listening(application(site.settings, site=site), port) as address:
        yield SimpleNamespace(address=address, site=site)
    site.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(locale="en-GB")
    made = context.new_page()
    made.set_default_timeout(LONGEST_MS)
    yield made
    context.close()


def tab_to(page, wanted: str) -> None:
    """Press the tabulator until what has the focus fits; each step on the way is to be seen."""
    for _ in range(MOST_STEPS):
        if page.evaluate(f"() => {FOCUSED}.matches({wanted!r})"):
            return
        page.keyboard.press("Tab")
        assert page.evaluate(SEEN), page.evaluate(f"() => {FOCUSED}.outerHTML")
    pytest.fail(f"{wanted} is not reached by the tabulator")


def fill(page, **values: str) -> None:
    for name, value in values.items():
        tab_to(page, f"main [name={name}]")
        page.keyboard.press("Control+a")
        page.keyboard.type(value)


def test_the_first_run_needs_no_mouse_and_a_link_works_once(served, page, browser):
    served.site.setup_code = CODE
    page.goto(served.address)
    assert page.evaluate(f"() => {FOCUSED}.name") == "code"
    fill(page, code=CODE, login="operator", name="Olga", password=PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/welcome/next")
    fill(page, name="North Hospital", code="NH")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=North Hospital")
    tab_to(page, "form[action='/welcome/administrator'] button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#secret")
    link = page.input_value("#secret")

    invited = browser.new_context(locale="en-GB").new_page()
    invited.goto(link)
    fill(invited, login="admin", name="Li Na", password=PASSWORD)
    invited.keyboard.press("Enter")
    invited.wait_for_url(f"{served.address}/")
    assert "North Hospital" in invited.inner_text("main")
    for again in (invited, page):
        assert again.goto(link).status == 404
        assert "used already" in again.inner_text("h1")
        assert "Ask for a new link" in again.inner_text("main")
    invited.context.close()


def test_a_password_can_be_shown_while_it_is_typed_and_is_hidden_again_when_it_is_sent(served, page):
    served.site.setup_code = CODE
    page.goto(f"{served.address}/welcome")
    fill(page, code=CODE, login="operator", name="Olga", password=PASSWORD[:9])
    kind = "document.querySelector('[name=password]').type"
    assert page.evaluate(kind) == "password"
    tab_to(page, "[data-shows]")
    page.keyboard.press("Space")
    assert page.evaluate(kind) == "text"
    page.evaluate(f"() => addEventListener('submit', () => {{ sessionStorage.sent = {kind}; }})")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.evaluate("sessionStorage.sent") == "password"
    assert page.evaluate(kind) == "password"


def test_a_link_that_has_expired_says_so_and_what_to_do(served, page):
    served.site.setup_code = CODE
    page.goto(f"{served.address}/welcome")
    fill(page, code=CODE, login="operator", name="Olga", password=PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/welcome/next")
    fill(page, name="North Hospital", code="NH")
    page.keyboard.press("Enter")
    page.click("form[action='/welcome/administrator'] button")
    link = page.input_value("#secret")
    assert page.goto(link).status == 200
    served.site.now = lambda: utc_now() + timedelta(days=7, minutes=1)
    assert page.goto(link).status == 404
    assert "has expired" in page.inner_text("h1")
    assert "Ask for a new link" in page.inner_text("main")


def test_an_exam_is_found_opened_and_left_by_keys_alone(served, page, tmp_path):
    with served.site.workspace.writing() as connection:
        number = make_hospital(connection, name="N", code="N", now=utc_now(), spellings=["North Hospital"])
        make_person(
            connection,
            login="reader",
            name="Reader",
            hospital=number,
            roles=[Role.RADIOLOGIST],
            now=utc_now(),
            password_hash=quick_passwords().hashed(PASSWORD),
        )
    ct(tmp_path / "exam")
    assess([tmp_path / "exam"], served.site.workspace, Options(workers=1), lambda *_: None)
    page.goto(f"{served.address}/worklist")
    fill(page, login="reader", password=PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-row]")
    page.keyboard.press("Tab")
    assert page.evaluate(f"() => {FOCUSED}.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("() => location.hash") == "#content"
    page.keyboard.press("/")
    page.keyboard.type("nobody")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=No exam fits.")
    assert page.evaluate("() => new URL(location.href).searchParams.get('words')") == "nobody"
    page.go_back()
    page.keyboard.press("j")
    assert page.evaluate(SEEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/exam/{uid_of('study', 'anna-1')}")
    page.keyboard.press("c")
    assert page.get_attribute("#contours", "aria-pressed") == "false"
    tab_to(page, "main .enlarge")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate(f"() => {FOCUSED}.matches('.enlarge')"), "the focus comes back to where it was"
