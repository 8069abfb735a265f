"""Leafing through the quick look in a real browser: the number and the picture are always of the same image."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from benchmarks.exchange_objects import encapsulated, file_of, image, uid_of
from pydicom.uid import JPEGLosslessSV1
from tests.server.conftest import serving
from tests.web.listening import free_port, listening

from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.session import begin_session

pytestmark = pytest.mark.slow

IMAGES, BROKEN, LONGEST_S = 40, 5, 30
SHOWN = """() => { const stack = document.querySelector("[data-stack]"), image = stack.querySelector("[data-image]");
  const place = stack.querySelector("[data-place]");
  return [place.textContent, new URL(image.src).pathname.split("/").pop(), image.alt]; }"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """A series of forty images of which the fifth can't be drawn, and fifty-nine more of an image each."""
    port = free_port()
    served = serving(tmp_path_factory.mktemp("quicklook") / "workspace", language="en", port=port)
    for series in range(60):
        for number in range(1, IMAGES + 1 if series == 0 else 2):
            one = image("study", str(series), number)
            one.SeriesNumber = series + 1
            data = file_of(one)
            if series == 0 and number == BROKEN:
                data = encapsulated(one, [b"\xff\xd8\xff\xe0 no image \xff\xd9"], str(JPEGLosslessSV1))
            origin = Origin(kind="import", peer="test")
            served.site.objects.receive(data, space=f"hospital/{served.north}", origin=origin)
    with listening(served.application, port) as address:
        yield SimpleNamespace(served=served, address=address)
    served.close()


@pytest.fixture
def page(browser, platform):
    """The page of the long series, with a window of usual size."""
    served = platform.served
    with served.site.workspace.writing() as connection:
        secret = begin_session(connection, served.people["radiologist"], now=served.clock())
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "bingcheng", "value": secret, "url": platform.address}])
    made = context.new_page()
    made.goto(f"{platform.address}/quicklook/{uid_of('study')}")
    yield made
    context.close()


def until(page, wanted) -> None:
    """Wait until the number, the picture and what is said of it are these."""
    end = time.monotonic() + LONGEST_S
    while (found := page.evaluate(SHOWN)) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.05)


def of(number: int) -> list[str]:
    return [str(number), f"{number - 1}.webp", f"Image {number} of {IMAGES}"]


def test_the_number_is_that_of_the_picture_and_who_does_not_see_it_is_told(page):
    page.locator("[data-stack]").focus()
    page.keyboard.press("Home")
    until(page, of(1))
    page.keyboard.press("ArrowDown")
    until(page, of(2))
    page.keyboard.press("End")
    until(page, of(IMAGES))
    assert page.get_attribute("[data-slide]", "aria-valuetext") == f"Image {IMAGES} of {IMAGES}"


def test_an_image_that_can_not_be_drawn_says_so_in_place_of_the_one_before(page):
    page.locator("[data-stack]").focus()
    page.keyboard.press("Home")
    until(page, of(1))
    for _ in range(BROKEN - 1):
        page.keyboard.press("ArrowDown")
    page.get_by_text("This image can't be shown.").wait_for(timeout=LONGEST_S * 1000)
    assert page.evaluate(SHOWN)[0] == str(BROKEN)
    assert not page.locator("[data-image]").is_visible()
    page.keyboard.press("ArrowDown")
    until(page, of(BROKEN + 1))
    assert page.locator("[data-image]").is_visible()
    assert not page.get_by_text("This image can't be shown.").is_visible()


def test_who_leafs_faster_than_pictures_come_sees_some_on_the_way_and_ends_at_the_last(page):
    page.locator("[data-stack]").focus()
    page.keyboard.press("Home")
    until(page, of(1))

    def slow(route):
        time.sleep(0.05)
        route.continue_()

    page.route("**/*.webp*", slow)
    page.evaluate(
        "() => { window.seen = []; document.querySelector('[data-stack]').addEventListener('leafed', "
        "(event) => window.seen.push(event.detail)); }"
    )
    for _ in range(IMAGES - 1):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(10)
    until(page, of(IMAGES))
    seen = page.evaluate("() => window.seen")
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert seen[-1] == IMAGES - 1


def test_a_notch_of_a_wheel_is_one_image_and_so_are_many_small_turns(page):
    page.locator("[data-stack]").focus()
    page.keyboard.press("Home")
    until(page, of(1))
    page.locator("[data-image]").hover()
    page.mouse.wheel(0, 120)
    until(page, of(2))
    for _ in range(12):
        page.mouse.wheel(0, 5)
        page.wait_for_timeout(20)
    until(page, of(3))


def test_the_series_that_is_shown_is_in_sight_among_sixty_and_so_is_its_picture(page):
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{page.url.partition('?')[0]}{page.locator('.strip a').nth(55).get_attribute('href')}")
        strip, one = (page.locator(chosen).bounding_box() for chosen in (".strip", ".strip [aria-current]"))
        for begin, size in (("x", "width"), ("y", "height")):
            assert strip[begin] <= one[begin]
            assert one[begin] + one[size] <= strip[begin] + strip[size] + 1
        assert page.locator("[data-image]").bounding_box()["y"] < 450
        assert page.evaluate("() => scrollY") == 0
