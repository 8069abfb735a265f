"""What is written can be read: contrasts of all colours that meet, in both themes, computed from the style sheets."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

TEXT, LARGE_OR_MARK = 4.5, 3.0
"""WCAG 2.2, 1.4.3 (text) and 1.4.11 (borders of controls, marks and bars)."""
BACKGROUNDS = ("paper", "card", "soft")
WORDS = ("ink", "quiet", "accent", "real", "within", "apart", "open", "pass", "fail", "none")
APP = (files("bingcheng.server") / "static" / "app.css").read_text(encoding="utf-8")
REPORT = (files("bingcheng.outputs.report") / "assets" / "report.css").read_text(encoding="utf-8")
OWN = {
    name: (files("bingcheng.server") / "static" / name).read_text(encoding="utf-8")
    for name in ("app.css", "exams.css", "cases.css", "dicom.css", "quicklook.css")
}


def tokens(sheet: str, selector: str) -> dict[str, str]:
    """The colours that the first rule of a selector names."""
    body = re.search(rf"{re.escape(selector)}\s*{{([^}}]*)}}", sheet)
    assert body, selector
    return dict(re.findall(r"--(\w+):\s*(#[0-9a-f]{6})\b", body.group(1)))


THEMES = {
    "light": tokens(APP, ":root"),
    "dark": tokens(APP, ':root[data-theme="dark"]'),
    "dark by the system": tokens(APP, ':root:not([data-theme="light"])'),
}


def channels(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def over(front: tuple[float, ...], back: tuple[float, ...], share: float) -> tuple[float, ...]:
    """A colour of which only a share is laid over another (color-mix with transparent)."""
    return tuple(share * f + (1 - share) * b for f, b in zip(front, back, strict=True))


def test_the_formula_gives_the_contrasts_that_the_standard_names():
    assert contrast(channels("#000000"), channels("#ffffff")) == pytest.approx(21.0)
    assert contrast(channels("#777777"), channels("#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("back", [*BACKGROUNDS, "band"])
@pytest.mark.parametrize("front", WORDS)
def test_words_stand_out_from_every_background(theme, front, back):
    colours = THEMES[theme]
    assert contrast(channels(colours[front]), channels(colours[back])) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("front", WORDS)
def test_words_stand_out_from_the_tint_of_their_badge(theme, front):
    share = badge_share()
    for back in BACKGROUNDS:
        word, ground = channels(THEMES[theme][front]), channels(THEMES[theme][back])
        assert contrast(word, over(word, ground, share)) >= TEXT


def badge_share() -> float:
    rule = re.search(r"\.badge {[^}]*background: color-mix\(in srgb, currentColor (\d+)%", APP)
    assert rule
    return int(rule.group(1)) / 100


@pytest.mark.parametrize("theme", THEMES)
def test_words_on_filled_buttons_and_counts_stand_out(theme):
    colours = THEMES[theme]
    assert contrast(channels(colours["paper"]), channels(colours["accent"])) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("back", BACKGROUNDS)
def test_borders_of_fields_and_buttons_are_seen(theme, back):
    quiet, ground = channels(THEMES[theme]["quiet"]), channels(THEMES[theme][back])
    rules = re.findall(r"border: 1px solid color-mix\(in srgb, var\(--quiet\) (\d+)%", "".join(OWN.values()))
    assert rules
    for share in {int(one) / 100 for one in rules}:
        assert contrast(over(quiet, ground, share), ground) >= LARGE_OR_MARK


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("mark", ["accent", "pass", "open", "fail", "within", "real", "apart"])
def test_marks_bars_and_the_focus_are_seen(theme, mark):
    for back in BACKGROUNDS:
        assert contrast(channels(THEMES[theme][mark]), channels(THEMES[theme][back])) >= LARGE_OR_MARK


def test_the_report_has_the_same_colours():
    for selector in (":root", ':root[data-theme="dark"]', ':root:not([data-theme="light"])'):
        assert tokens(APP, selector) == tokens(REPORT, selector)


def test_both_ways_to_the_dark_theme_give_the_same_colours():
    assert THEMES["dark"] == THEMES["dark by the system"]
    assert set(WORDS) | set(BACKGROUNDS) <= THEMES["light"].keys() & THEMES["dark"].keys()


def test_the_focus_is_shown_and_nowhere_hidden():
    assert re.search(r":focus-visible {[^}]*outline: 2px solid var\(--accent\)", APP)
    for name, sheet in OWN.items():
        for selector in re.findall(r"([^{}]*){[^{}]*outline: (?:none|0)", sheet):
            # Only what is focused by a link or a script, and never by the tabulator.
            assert '[tabindex="-1"]' in selector, f"{name}: {selector.strip()}"
