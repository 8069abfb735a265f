"""What the viewer keeps, refuses and can't show, and the pages of the quick look, which need no viewer."""

from __future__ import annotations

from typing import Any

import pytest
from tests.web.viewing import HEIGHT, PANE, SHADES, Running, Window, given_case

pytestmark = pytest.mark.slow


def test_the_browser_keeps_the_program_for_the_next_time_and_no_data(running: Running, browser: Any) -> None:
    window = running.window(browser)
    window.open("/login")
    assert window.until("navigator.serviceWorker.getRegistration('/viewer/').then(r => r && r.active && r.scope)")
    kept = window.page.evaluate(
        "async () => Promise.all((await caches.keys()).map(async one => (await (await caches.open(one)).keys())"
        ".map(asked => asked.url)))"
    )
    ((program, *pieces),) = kept
    assert program.startswith(f"{running.address}/viewer/")
    assert all(one.endswith(".js") and one.startswith(f"{running.address}/viewer/") for one in (program, *pieces))
    window.open(running.viewer())
    assert window.until(SHADES)
    assert window.faults == []
    assert window.foreign() == []
    window.context.close()


def test_what_may_not_be_kept_is_refused_in_words(running: Running, window: Window) -> None:
    window.open(running.viewer())
    assert window.until("window.extensionManager && window.cornerstone.getRenderingEngines().length")
    store = "window.extensionManager.getActiveDataSource()[0].store.dicom"
    said = window.page.evaluate(f"() => {store}({{StudyInstanceUID: '1.2.3'}}).then(() => 'kept', e => e.message)")
    assert "your own hospital" in said
    assert "discussion" in said


def test_what_is_withdrawn_while_it_is_open_is_closed_in_words_when_somebody_works_on(
    running: Running, browser: Any
) -> None:
    case = given_case(running)
    window = running.window(browser, secret=case.secret)
    window.open(running.viewer(study=case.study))
    assert window.until(SHADES)
    window.page.wait_for_timeout(500)
    case.withdraw()
    window.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 60000; }")  # some time later
    window.page.mouse.move(640, 400)
    window.page.mouse.wheel(0, 100)
    assert window.until("document.body.innerText.includes('not open to you')")
    assert window.page.locator("canvas").count() == 0
    assert window.foreign() == []
    window.context.close()


def test_a_damaged_image_is_told_in_its_place_and_the_others_are_shown(running: Running, window: Window) -> None:
    window.open(running.viewer(study=running.damaged))
    assert window.until(SHADES)
    covered = "document.querySelector('.bingcheng-not-shown') !== null"
    window.page.evaluate(f"() => {PANE}.scroll(1)")
    assert window.until(covered)
    assert "can't be shown" in window.page.locator(".bingcheng-not-shown").inner_text()
    assert "went wrong" not in window.page.locator("body").inner_text()
    window.page.evaluate(f"() => {PANE}.scroll(1)")
    assert window.until(f"!({covered})")
    assert window.faults == []


def test_the_viewer_speaks_chinese_to_who_reads_chinese(running: Running, browser: Any) -> None:
    window = running.window(browser, language="zh-CN")
    window.open(running.viewer(), width=390)
    assert window.until(SHADES)
    assert window.page.evaluate("localStorage.getItem('i18nextLng')") == "zh"
    assert window.foreign() == []
    window.context.close()


def test_the_quick_look_is_leafed_through_by_key_and_shows_each_image(running: Running, window: Window) -> None:
    window.open(f"/quicklook/{running.study}?series={running.ct}")
    stack = window.page.locator("[data-stack]")
    before = int(stack.locator("[data-place]").inner_text())
    stack.focus()
    window.page.keyboard.press("ArrowDown")
    window.page.keyboard.press("ArrowDown")
    # The number is that of the image that is shown.
    assert window.until(f"document.querySelector('[data-place]').textContent.trim() === '{before + 2}'")
    assert window.until(f"document.querySelector('[data-image]').src.includes('/{before + 1}.webp')")
    window.page.keyboard.press("o")
    assert window.until("document.querySelector('[data-image]').src.includes('outline=false')")
    assert window.until("document.querySelector('[data-image]').naturalWidth === 640")
    assert window.faults == []
    assert window.foreign() == []


def test_the_quick_look_does_not_run_over_the_side(running: Running, window: Window) -> None:
    window.open(f"/quicklook/{running.study}", width=390)
    for width in (390, 1280):
        window.page.set_viewport_size({"width": width, "height": HEIGHT})
        widths = window.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], width
