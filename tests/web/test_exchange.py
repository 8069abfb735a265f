"""What the platform is for, in a real browser: an exam is seen, shared de-identified, discussed, and refused."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from tests.archive.people.quick import quick_hashing, quick_passwords
from tests.engine.making import ANNA, ct, uid_of
from tests.web.listening import free_port, listening
from tests.web.viewing import installed_viewer, until

from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.jobs.queue import JobKind, ask
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.engine.run import Options
from bingcheng.server.application import application, open_site
from bingcheng.server.background.work import work
from bingcheng.server.settings import Settings

pytestmark = pytest.mark.slow

STUDY = uid_of("study", "anna-1")
PASSWORD = "a long enough sentence"  # noqa: S105 - of people who don't exist
PLACES = {"north": "North Hospital", "south": "South Hospital", "west": "West Hospital"}
LONGEST_MS = 90_000


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """Three hospitals with a radiologist each; an exam of the first was received and assessed."""
    folder = tmp_path_factory.mktemp("platform")
    port = free_port()
    with quick_hashing():
        site = open_site(Settings(workspace=folder / "workspace", port=port))
    hashed, now = quick_passwords().hashed(PASSWORD), site.now()
    with site.workspace.writing() as connection:
        for login, name in PLACES.items():
            number = make_hospital(connection, name=name, code=login.upper(), now=now, spellings=[name])
            make_person(
                connection,
                login=login,
                name=f"Dr {login}",
                hospital=number,
                roles=[Role.RADIOLOGIST],
                now=now,
                password_hash=hashed,
            )
    ct(folder / "exam")
    for path in sorted((folder / "exam").glob("*.dcm")):
        site.objects.receive(path.read_bytes(), space="hospital/1", origin=Origin(kind="dimse", peer="CT1@127.0.0.1"))
    with site.workspace.writing() as connection:
        ask(connection, JobKind.ASSESS, "hospital/1", STUDY, now)

    def background() -> None:
        work(site.workspace, site.objects, Options(workers=1))

    background()
    with listening(application(site.settings, site=site), port) as address:
        yield SimpleNamespace(address=address, background=background, site=site)
    site.close()


@pytest.fixture(scope="module")
def signed_in(browser, platform):
    """signed_in("north"): the window in which who is called so signed in once, as tall and wide as a reader's."""
    windows: dict[tuple[str, str], Any] = {}

    def window(login: str, *, locale: str = "en-GB", **size: int) -> Any:
        page = windows.get((login, locale))
        if page is not None:
            page.goto(f"{platform.address}/worklist")
        else:
            windows[login, locale] = page = browser.new_context(locale=locale).new_page()
            page.set_default_timeout(LONGEST_MS)
            page.goto(f"{platform.address}/login")
            page.fill("[name=login]", login)
            page.fill("[name=password]", PASSWORD)
            page.click("main form button")
            page.wait_for_url("**/worklist")
        page.set_viewport_size({"width": 1440, "height": 900} | size)
        return page

    yield window
    for page in windows.values():
        page.context.close()


@pytest.fixture(scope="module")
def shared(signed_in, platform):
    """The address of a case that the first hospital made of its exam, published and gave to the second."""
    page = signed_in("north")
    page.click(f"text={ANNA.name.split('^')[0]}")
    page.click("text=Publish as a case")
    page.fill("[name=title]", "Sphere in a cylinder")
    page.click("text=Make the draft")
    page.wait_for_url(re.compile(r"/cases/\d+"))
    platform.background()
    address = f"{platform.address}/cases/1"
    page.goto(address)
    while page.locator("text=Look at them").count():
        page.click("text=Look at them")
        for box in page.locator("input[type=checkbox][name=whole_series]").all()[:1]:
            box.check()
        page.locator("button[name=decision]").first.click()  # to show it, where that is offered, else to leave it out
        platform.background()
        page.goto(address)
    page.click("button.main:text-is('Publish')")
    page.goto(f"{address}/grants")
    page.select_option("[name=audience]", label=PLACES["south"])
    page.click("main button.main:has-text('Give it')")
    return address


def test_a_radiologist_sees_the_exam_with_its_measurements(signed_in):
    page = signed_in("north")
    assert "Quellberg" in page.inner_text("table")
    page.click("text=Quellberg")
    assert "Longest diameter" in page.inner_text("main")
    assert page.locator("svg.slice").count() > 0


def test_the_viewer_shows_the_ct_with_the_lesion_over_it(signed_in, platform):
    installed_viewer()
    # Without a graphics processor a program draws each pixel of the window.
    page = signed_in("north", width=960, height=600)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.click("text=Quellberg")
    page.click("text=Open in the viewer")
    page.wait_for_selector("canvas")
    drawn = (
        "window.cornerstone && window.cornerstone.getRenderingEngines()[0]?.getViewports()[0]?.getImageIds?.().length"
    )
    end = time.monotonic() + LONGEST_MS / 1e3
    while not page.evaluate(f"() => {{ try {{ return {drawn} }} catch {{ return 0 }} }}"):
        assert time.monotonic() < end
        time.sleep(0.2)
    segmented = "window.cornerstoneTools.segmentation.state.getSegmentations().length"
    while not page.evaluate(f"() => {{ try {{ return {segmented} }} catch {{ return 0 }} }}"):
        assert time.monotonic() < end, "the segmentation was never laid over the images"
        time.sleep(0.2)
    assert [url for url in asked if not url.startswith((platform.address, "blob:", "data:"))] == []


def test_the_second_hospital_reads_the_case_without_the_patient_and_comments(signed_in, platform, shared):
    page = signed_in("south")
    assert "Quellberg" not in page.content()
    page.goto(shared)
    assert "Sphere in a cylinder" in page.inner_text("h1")
    for words in ("Quellberg", "KH-70412", STUDY, "19580917", "1958-09-17"):
        assert words not in page.content()
    page.fill("textarea[name=words]", "Well seen.")
    page.click("text=Say it")
    page.wait_for_selector("article.comment")
    assert "Well seen." in page.inner_text("article.comment")
    page.click("a:has-text('Look at the images')")
    page.wait_for_url("**/images*")
    until(page, "[...document.images].some(one => one.complete && one.naturalWidth > 200)")
    assert "Quellberg" not in page.content()


def test_the_third_hospital_is_refused_as_if_there_were_nothing(signed_in, platform, shared):
    page = signed_in("west")
    assert page.goto(shared).status == 404
    assert page.goto(f"{platform.address}/exam/{STUDY}").status == 404
    assert page.goto(f"{platform.address}/quicklook/{STUDY}").status == 404
    assert "Sphere" not in page.content()


def test_a_withdrawn_case_is_shut_at_once(signed_in, platform, shared):
    reader = signed_in("south")
    assert reader.goto(shared).status == 200
    author = signed_in("north")
    author.on("dialog", lambda dialog: dialog.accept())
    author.goto(f"{shared}/grants")
    author.click("button:has-text('Take back')")
    assert reader.goto(shared).status == 404


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_no_page_is_wider_than_the_screen(signed_in, platform, shared, language):
    page = signed_in("north", locale=language)
    for path in ("/worklist", f"/exam/{STUDY}", "/patients", "/hospital", "/cases", "/cases/1", "/account"):
        page.set_viewport_size({"width": 390, "height": 900})
        page.goto(platform.address + path)
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path}: {wide}"
