"""Names burned into pictures are blanked by a person in a real browser, and are gone where they were drawn over."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.archive.people.quick import quick_hashing, quick_passwords
from tests.web import burned_in
from tests.web.listening import free_port, listening
from tests.web.masking import (
    LETTERS,
    MARGIN_PX,
    Card,
    assert_blank_there_and_nowhere_else,
    copies,
    original,
    seen_words,
    touched,
)

from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.cases.case import Written, make_case
from bingcheng.archive.cases.pictures import pictures
from bingcheng.archive.cases.preparing import prepare
from bingcheng.archive.cases.selection import Chosen, choose, offered
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.archive.people.session import begin_session
from bingcheng.server.application import application, open_site
from bingcheng.server.settings import Settings

pytestmark = pytest.mark.slow

PEOPLE = ("anna", "bob")
LONGEST_MS = 60_000
FILM, BITS, SCREEN, PALETTE, OBLONG, SMALL, LARGE = range(7)


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """A hospital with two radiologists and an exam with names burned in."""
    folder, port = tmp_path_factory.mktemp("masks"), free_port()
    with quick_hashing():
        site = open_site(Settings(workspace=folder / "workspace", port=port))
    hashed, now, secrets = quick_passwords().hashed("a long enough sentence"), site.now(), {}
    with site.workspace.writing() as connection:
        hospital = make_hospital(connection, name="North Hospital", code="NORTH", now=now, spellings=["North Hospital"])
        for login in PEOPLE:
            number = make_person(
                connection,
                login=login,
                name=f"Dr {login}",
                hospital=hospital,
                roles=[Role.RADIOLOGIST],
                now=now,
                password_hash=hashed,
            )
            secrets[login] = begin_session(connection, number, now=now)
    exam = burned_in.exam()
    for one in exam:
        origin = Origin(kind="dimse", peer="US1@127.0.0.1")
        site.objects.receive(one.data, space=f"hospital/{hospital}", origin=origin)
    with listening(application(site.settings, site=site), port) as address:
        yield SimpleNamespace(address=address, site=site, hospital=hospital, exam=exam, secrets=secrets)
    site.close()


@pytest.fixture
def case(platform):
    """A draft of the whole exam, all of whose pictures wait."""
    with platform.site.workspace.writing() as connection:
        written = Written(title="A liver")
        now = platform.site.now()
        number = make_case(
            connection, hospital=platform.hospital, author=1, profile="teaching", written=written, now=now
        )
        series = offered(connection, platform.hospital, [burned_in.STUDY])
        chosen = [Chosen(study_uid=one.study_uid, series_uid=one.series_uid) for one in series]
        choose(connection, number, platform.hospital, chosen)
    assert prepare(platform.site.workspace, platform.site.objects, number).waiting == len(platform.exam)
    return number


@pytest.fixture
def opened(browser, platform, case):
    """opened("anna"): the page of the pictures, as who is called so sees it."""
    contexts = []

    def window(who: str = "anna", **more: Any) -> Any:
        context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1440, "height": 900}} | more)
        contexts.append(context)
        context.add_cookies([{"name": "bingcheng", "value": platform.secrets[who], "url": platform.address}])
        page = context.new_page()
        page.set_default_timeout(LONGEST_MS)
        page.faults = []
        page.on("pageerror", lambda fault: page.faults.append(str(fault)))
        page.goto(f"{platform.address}/cases/{case}/pictures")
        return page

    yield window
    for context in contexts:
        assert [page.faults for page in context.pages] == [[]] * len(context.pages)
        context.close()


@pytest.mark.parametrize("at", [FILM, BITS, SCREEN, PALETTE, OBLONG])
def test_what_is_drawn_over_is_blank_in_what_leaves_and_nothing_else_is(platform, case, opened, at):
    page = opened()
    card = Card(page, platform, at)
    card.cover()
    ((x, y, width, height),) = card.regions
    left, _, _, bottom = card.one.box
    pixel = card.one.columns / card.image.bounding_box()["width"]
    assert abs(x - (left - MARGIN_PX)) <= 1 + pixel
    assert abs(y + height - (bottom + MARGIN_PX)) <= 1 + pixel
    card.decide()
    made = copies(platform, case)
    assert len(made) == 1
    assert_blank_there_and_nowhere_else(made, card.one, (x, y, width, height))


@pytest.mark.parametrize("at", [FILM, BITS, SCREEN, PALETTE, OBLONG])
def test_the_words_are_seen_on_the_page(platform, opened, at):
    assert seen_words(Card(opened(), platform, at)) > LETTERS


def test_each_frame_is_seen_by_leafing(platform, opened):
    page = opened()
    card = Card(page, platform, FILM)
    slide, words = card.root.locator("[data-frame-slide]"), card.root.locator("[data-frame-words]")
    for number, seen in ((burned_in.LATE_FRAME + 1, True), (burned_in.LATE_FRAME, False)):
        with page.expect_response(f"**/frames/{number}") as answer:
            slide.fill(str(number))
        assert answer.value.ok
        assert f"Frame {number} of" in words.inner_text()
        card.drawn()
        page.wait_for_timeout(100)
        assert (seen_words(card) > LETTERS) == seen
    with page.expect_response("**/frames/darkest") as answer:
        slide.fill("-1")
    assert answer.value.ok
    assert "darkest" in words.inner_text()
    assert card.root.locator("[data-step='-1']").is_disabled()
    slide.fill(str(burned_in.LATE_FRAME))
    with page.expect_response(f"**/frames/{burned_in.LATE_FRAME + 1}"):
        card.root.locator("[data-step='1']").click()
    with page.expect_response(f"**/frames/{burned_in.LATE_FRAME}"):
        card.root.locator("[data-room]").press("PageUp")
    slide.fill(str(burned_in.FILM_FRAMES))
    assert card.root.locator("[data-step='1']").is_disabled()


def test_a_region_is_moved_made_larger_undone_and_removed_by_mouse(platform, opened):
    card = Card(opened(), platform, OBLONG)
    card.draw(20, 20, 80, 40)
    ((x, y, width, height),) = card.regions
    card.drag((50, 30), (90, 60))
    ((moved_x, moved_y, *same),) = card.regions
    assert same == [width, height], "moving keeps the size"
    assert abs(moved_x - x - 40) <= 1
    assert abs(moved_y - y - 30) <= 1
    card.drag((100, 60), (-400, 500))
    ((edge_x, edge_y, *same),) = card.regions
    assert (edge_x, edge_y + height, same) == (0, 120, [width, height]), "it stops at the edges"
    corner = card.root.locator(".mask.chosen .corner.right.top").bounding_box()
    at = corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2
    card.page.mouse.move(*at)
    card.page.mouse.down()
    card.page.mouse.move(at[0] + 90, at[1] - 90, steps=4)
    card.page.mouse.up()
    ((large_x, large_y, large_width, large_height),) = card.regions
    assert (large_x, large_y + large_height) == (0, 120), "the other corner stays"
    assert large_width > width
    assert large_height > height
    large = card.regions
    for _ in range(3):
        card.press("undo")
    assert card.regions == [(x, y, width, height)]
    for _ in range(3):
        card.press("redo")
    assert card.regions == large
    assert card.root.locator("[data-redo]").is_disabled()
    card.press("remove")
    assert card.regions == []
    card.press("undo")
    assert card.regions == large
    card.root.locator("summary").click()
    card.root.locator("textarea").fill("0, 0, 30, 10\n40, 0, 30, 10")
    card.root.locator("textarea").blur()
    assert card.root.locator(".mask").count() == 2, "what is written is drawn"


def test_a_region_is_drawn_by_keyboard_alone(platform, case, opened):
    page = opened()
    card = Card(page, platform, SMALL)
    press = page.keyboard.press
    card.root.locator("[data-room]").focus()
    press("n")
    assert card.root.locator(".mask").evaluate("one => one === document.activeElement")
    ((x, y, width, height),) = card.regions
    press("Alt+ArrowRight")
    press("Alt+ArrowUp")
    assert card.regions == [(x + 1, y - 1, width, height)]
    for _ in range(130):
        press("ArrowLeft")
    for _ in range(100):
        press("ArrowUp")
    assert card.regions == [(0, 0, width, height)]
    for _ in range(100):
        press("Shift+ArrowRight")
    assert card.regions == [(0, 0, card.one.columns, height)], "no larger than the picture"
    press("Control+z")
    press("Control+z")
    press("Control+y")
    press("Delete")
    assert card.regions == []
    press("Control+z")
    ((_, _, width, height),) = card.regions
    for _ in range(3):
        press("Shift+ArrowDown") if card.root.locator(".mask:focus").count() else press("Tab")
    told = card.root.locator("[data-said]").inner_text()
    assert "Region 1" in told
    ((_, _, width, height),) = card.regions
    assert width >= card.one.box[2]
    assert height >= card.one.box[3]
    card.root.locator("[name=decision][value=show]").focus()
    with page.expect_navigation():
        press("Enter")
    assert_blank_there_and_nowhere_else(copies(platform, case), card.one, (0, 0, width, height))


def test_a_finger_scrolls_until_it_is_asked_to_draw_and_moves_regions(platform, opened):
    page = opened(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    card = Card(page, platform, PALETTE)
    before = page.evaluate("scrollY")
    start, end = card.at(30, 200), card.at(30, 20)
    touched(page, start, *[(start[0], start[1] + (end[1] - start[1]) * part / 6) for part in range(1, 7)])
    page.wait_for_timeout(400)
    assert card.regions == []
    assert page.evaluate("scrollY") > before + 20, "the page went on"
    card.root.locator("[data-finger]").tap()
    card.image.scroll_into_view_if_needed()
    left, top, right, bottom = card.one.box
    corners = card.at(left - 4, top - 4), card.at(right + 4, bottom + 4)
    touched(page, corners[0], ((corners[0][0] + corners[1][0]) / 2, corners[1][1]), corners[1])
    ((x, y, width, height),) = card.regions
    assert x <= left
    assert y <= top
    assert x + width >= right
    assert y + height >= bottom
    middle = card.at(x + width / 2, y + height / 2)
    below = card.at(x + width / 2, y + height / 2 + 100)
    touched(page, middle, (middle[0], (middle[1] + below[1]) / 2), below)
    ((_, moved, *same),) = card.regions
    assert moved > y + 90
    assert same == [width, height]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_was_drawn_is_there_after_loading_again_and_after_deciding_about_another(platform, opened):
    page = opened()
    card = Card(page, platform, OBLONG)
    card.draw(20, 20, 80, 40)
    drawn = card.regions
    page.reload()
    assert Card(page, platform, OBLONG).regions == drawn
    Card(page, platform, PALETTE).decide("leave-out")
    assert Card(page, platform, OBLONG).regions == drawn
    Card(page, platform, OBLONG).decide()
    page.reload()
    assert Card(page, platform, OBLONG).badge() == "shown"
    assert Card(page, platform, OBLONG).regions == drawn


def test_two_people_at_once_do_not_undo_each_other_unseen(platform, case, opened):
    first, second = Card(opened("anna"), platform, OBLONG), Card(opened("bob"), platform, OBLONG)
    first.cover()
    second.draw(100, 60, 140, 80)
    first.decide()
    kept, meant = first.regions, second.regions
    second.decide()
    assert "somebody else decided" in second.page.inner_text("main").casefold()
    told = second.root.inner_text()
    assert "Kept so far: " + ", ".join(str(one) for one in kept[0]) in told
    assert second.regions == meant, "what was drawn is not lost"
    with platform.site.workspace.reading() as connection:
        found = next(one for one in pictures(connection, case) if one.sop_uid == second.one.uid)
    assert [(one.x, one.y, one.width, one.height) for one in found.regions] == kept
    second.decide()
    assert second.badge() == "shown"
    assert second.regions == meant, "having seen the other's, it may be decided otherwise"


def test_nothing_to_blank_and_left_out(platform, case, opened):
    page = opened()
    Card(page, platform, BITS).decide("leave-out")
    Card(page, platform, OBLONG).decide()
    assert page.url.endswith("#p-6"), "on at the next that waits"
    made = copies(platform, case)
    before, key = original(platform.exam[OBLONG])
    assert list(made) == [key]
    assert (made[key].pixel_array == before.pixel_array).all()


def test_regions_go_to_those_of_the_series_that_are_as_large(platform, case, opened):
    page = opened()
    card = Card(page, platform, SMALL)
    card.cover()
    card.root.locator("[name=whole_series]").check()
    card.decide()
    assert Card(page, platform, LARGE).badge() == "waits", "there the words stand elsewhere"
    assert Card(page, platform, SMALL).badge() == "shown"


def test_a_picture_that_can_not_be_shown_says_so(platform, case, opened):
    page = opened()
    page.route("**/frames/*", lambda route: route.fulfill(status=400))
    page.reload()
    page.locator("[data-unseen]").first.wait_for(state="visible")
    assert "can't be shown" in page.locator("[data-unseen]").first.inner_text()


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_no_wider_than_the_screen(platform, opened, language, scheme):
    page = opened(locale=language, color_scheme=scheme)
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        card = Card(page, platform, OBLONG)
        card.press("new")
        card.press("larger")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".mask.chosen").count() == 1
