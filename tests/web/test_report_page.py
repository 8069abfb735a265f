"""The report in a real browser: it opens from a folder, obeys its keys, asks the network for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.outputs.example import study
from tests.outputs.responses import with_response
from tests.web.viewing import until

from bingcheng.outputs.language import Language
from bingcheng.outputs.report.page import write_report

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PAPER = {"width": 680, "height": 1009}
"""A4 without its margins of 15 mm, at 96 pixels an inch."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    assessment = with_response(study())
    folder = tmp_path_factory.mktemp("report")
    return {code: write_report(assessment, folder / code, Language.of(code)) for code in ("en", "zh")}


class Visit:
    """One open page, with all that it asked for and complained about."""

    def __init__(self, browser: object, path: Path, *, viewport: dict[str, int], scripts: bool = True) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.context = browser.new_context(viewport=viewport, java_script_enabled=scripts)  # type: ignore[attr-defined]
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def shown_exam(self) -> str:
        return str(self.page.locator(".exam.shown h3").inner_text()).split()[0]


@pytest.fixture
def visit(browser: object, reports: dict[str, Path]) -> Iterator[Visit]:
    opened = Visit(browser, reports["en"], viewport=WIDE)
    yield opened
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    opened.context.close()


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_runs_over_the_side_of_the_page(
    browser: object, reports: dict[str, Path], code: str, viewport: dict[str, int]
) -> None:
    opened = Visit(browser, reports[code], viewport=viewport)
    for anchor in ("", "#lesion-5", "#response", "#hospitals", "#dose", "#exam-3", "#exam-11", "#refusals"):
        opened.page.goto(reports[code].as_uri() + anchor)
        widths = opened.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1]
    assert opened.complaints == []
    opened.context.close()


def at_exam(number: int) -> str:
    """A script that tells whether the address names an exam and the page shows it."""
    return f"location.hash === '#exam-{number}' && document.querySelector('.exam.shown').id === 'exam-{number}'"


def test_one_exam_is_shown_and_keys_lead_to_the_next_and_back(visit: Visit) -> None:
    assert visit.page.locator(".exam:visible").count() == 1
    assert visit.shown_exam() == "E01"
    visit.page.keyboard.press("ArrowRight")
    visit.page.keyboard.press("ArrowRight")
    until(visit.page, at_exam(2))
    assert visit.shown_exam() == "E03"
    visit.page.keyboard.press("k")
    until(visit.page, at_exam(1))
    assert visit.shown_exam() == "E02"
    visit.page.go_back()
    until(visit.page, at_exam(2))
    assert visit.shown_exam() == "E03"


def test_keys_pressed_quicker_than_the_page_is_told_of_its_address_are_a_step_each(visit: Visit) -> None:
    press = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}))"
    visit.page.evaluate(f"() => {{ {press}; {press}; {press}; }}")
    until(visit.page, at_exam(3))


def test_j_walks_through_the_lesions(visit: Visit) -> None:
    visit.page.keyboard.press("2")
    visit.page.keyboard.press("j")
    visit.page.keyboard.press("j")
    assert visit.page.locator(".lesion.current").get_attribute("id") == "lesion-1"
    visit.page.keyboard.press("k")
    assert visit.page.locator(".lesion.current").get_attribute("id") == "lesion-0"


def test_dose_has_its_place_in_the_bar_its_key_and_its_steps(visit: Visit) -> None:
    visit.page.keyboard.press("4")
    until(visit.page, "document.querySelector('.views a[aria-current]').hash === '#dose'")
    visit.page.keyboard.press("j")
    assert visit.page.locator("#dose .comparison.current").count() == 1
    visit.page.locator("#dose .findings a").first.click()
    until(visit.page, "location.hash.startsWith('#exam-')")
    visit.page.keyboard.press("5")
    until(visit.page, "document.querySelector('.views a[aria-current]').hash === '#exams'")


def test_slash_searches_and_a_search_shows_what_fits(visit: Visit) -> None:
    visit.page.keyboard.press("/")
    assert visit.page.evaluate("document.activeElement.id") == "search"
    visit.page.keyboard.type("mudan mr")
    assert visit.page.locator(".exam-list li:visible").count() == 2
    assert visit.page.locator("#found").inner_text() == "2 exams"
    assert visit.shown_exam() == "E03"
    visit.page.keyboard.type(" nowhere")
    assert visit.page.locator("#none-found").is_visible()
    visit.page.keyboard.press("Escape")
    assert visit.page.locator(".exam-list li:visible").count() == 16


def test_filters_by_outcome_and_hospital_add_up(visit: Visit) -> None:
    visit.page.select_option("#outcome-filter", "fail")
    assert visit.page.locator(".exam-list li:visible").count() == 2
    visit.page.select_option("#site-filter", "Mudan Central Hospital")
    assert visit.page.locator(".exam-list li:visible").count() == 1
    assert visit.shown_exam() == "E04"


def test_a_link_to_a_filtered_exam_clears_the_filter(visit: Visit) -> None:
    visit.page.select_option("#outcome-filter", "fail")
    visit.page.evaluate("location.hash = '#exam-0'")
    until(visit.page, "document.querySelector('.exam.shown').id === 'exam-0'")
    assert visit.page.locator(".exam-list li:visible").count() == 16


def test_question_mark_shows_the_keys_and_escape_hides_them(visit: Visit) -> None:
    visit.page.keyboard.press("?")
    assert visit.page.locator("#help").is_visible()
    visit.page.keyboard.press("j")  # keys of the page rest while a dialog is open
    assert visit.page.locator(".current").count() == 0
    visit.page.keyboard.press("Escape")
    assert not visit.page.locator("#help").is_visible()


def test_a_picture_is_enlarged_and_widened_to_the_whole_field(visit: Visit) -> None:
    visit.page.locator(".lesion .enlarge").first.click()
    slice_ = visit.page.locator("#viewer svg.slice")
    assert slice_.is_visible()
    close = slice_.get_attribute("viewBox")
    visit.page.locator("#field").click()
    assert slice_.get_attribute("viewBox") == slice_.get_attribute("data-whole") != close
    visit.page.locator("#field").click()
    assert slice_.get_attribute("viewBox") == close


def test_contours_can_be_hidden_to_see_what_lies_under_them(visit: Visit) -> None:
    contour = visit.page.locator(".lesion .contour").first
    assert contour.is_visible()
    visit.page.keyboard.press("c")
    assert not contour.is_visible()
    assert visit.page.locator("#contours").get_attribute("aria-pressed") == "false"


def test_the_theme_can_be_changed(visit: Visit) -> None:
    before = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    visit.page.locator("#theme").click()
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_a_mark_in_a_chart_tells_its_value_to_mouse_and_keyboard(visit: Visit) -> None:
    point = visit.page.locator(".trend .point").first
    point.focus()
    tip = visit.page.locator("#tip")
    assert tip.inner_text() == "E01 · 5.6 ± 0.6 ml · SIEMENS Definition AS · 7f3a"
    visit.page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_without_scripts_every_exam_is_there_to_read(browser: object, reports: dict[str, Path]) -> None:
    opened = Visit(browser, reports["en"], viewport=WIDE, scripts=False)
    assert opened.page.locator(".exam:visible").count() == 16
    assert opened.page.locator("#search:visible").count() == 0
    opened.context.close()


def test_the_print_shows_every_exam_and_no_controls(visit: Visit) -> None:
    visit.page.emulate_media(media="print")
    assert visit.page.locator(".exam:visible").count() == 16
    assert visit.page.locator(".bar:visible, .filters:visible").count() == 0


@pytest.mark.parametrize("code", ["en", "zh"])
def test_nothing_is_wider_than_the_paper_that_it_is_printed_on(
    browser: object, reports: dict[str, Path], code: str
) -> None:
    opened = Visit(browser, reports[code], viewport=PAPER)
    opened.page.emulate_media(media="print")
    wide = """() => [...document.querySelectorAll("body :not(svg *)")].filter(
        (one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1
      ).map((one) => one.outerHTML.slice(0, 100))"""
    assert opened.page.evaluate(wide) == []
    opened.context.close()


def test_it_prints_dark_on_white_whatever_the_screen_shows(browser: object, reports: dict[str, Path]) -> None:
    opened = Visit(browser, reports["en"], viewport=WIDE)
    opened.page.emulate_media(media="print", color_scheme="dark")
    colours = opened.page.evaluate(
        "() => { const style = getComputedStyle(document.body); return [style.color, style.backgroundColor]; }"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    opened.context.close()


CONTRASTS = """() => {
  const style = getComputedStyle(document.documentElement);
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const light = (name) => {
    canvas.fillStyle = style.getPropertyValue(name);
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = {};
  const inks = ["--ink", "--quiet", "--accent", "--real", "--within", "--apart", "--open", "--pass", "--none"];
  for (const ink of inks)
    for (const ground of ["--paper", "--card", "--soft"]) {
      const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
      found[ink + " on " + ground] = (a + 0.05) / (b + 0.05);
    }
  return found;
}"""


def test_text_stands_out_from_its_ground(browser: object, reports: dict[str, Path]) -> None:
    """WCAG 2.1, 1.4.3: at least 4.5 to 1."""
    opened = Visit(browser, reports["en"], viewport=WIDE)
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        ratios = opened.page.evaluate(CONTRASTS)
        assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}, scheme
    opened.context.close()
