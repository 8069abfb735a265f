"""OHIF in a real browser, on our DICOMweb: images, outlines, measurements; and nobody else is ever asked."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from tests.web.viewing import (
    ANNOTATIONS,
    LINES,
    LONG_MM,
    PANE,
    SEGMENTS,
    SHADES,
    SHORT_MM,
    VENDORS,
    WEIGHTINGS,
    Running,
    Window,
)

from bingcheng.dicom.write.header import uid_of as named_uid

pytestmark = pytest.mark.slow

PANES = "window.cornerstone.getRenderingEngines()[0].getViewports()"
COLOURS = f"""{PANES}.map(pane => pane.getActors()
  .filter(one => one.representationUID).map(one => Boolean(one.actor.getProperty().getRGBTransferFunction(0))))"""

CORNERS = "[...document.querySelectorAll('.overlay-item')].map(one => one.textContent)"


def test_the_ct_is_shown_with_our_segment_over_it_at_the_lesion(running: Running, window: Window) -> None:
    window.open(running.viewer(series=True))
    assert window.until(SHADES)
    segments = window.until(f"{SEGMENTS}.length && JSON.stringify({SEGMENTS}.map(s => Object.values(s.segments)))")
    assert [[one["label"] for one in some] for some in json.loads(segments)] == [["Lesion 1"]]  # ours, not both
    # 16 slices; the lesion lies in the middle, the series begins at its end.
    assert window.until(f"Math.abs({PANE}.getCurrentImageIdIndex() - 7.5) < 2")
    assert window.until(f"['5 mm', 'Br40', '120 kV'].every(said => {CORNERS}.includes(said))")
    assert window.faults == []
    assert window.foreign() == []


def test_our_report_is_drawn_at_once_with_its_name_and_its_lengths(running: Running, window: Window) -> None:
    window.open(running.viewer(series=True))
    each = "a => ({label: a.data.label, stats: Object.values(a.data.cachedStats)[0]})"
    told = window.until(f"{LINES}.length && JSON.stringify({LINES}.map({each}))")
    (one,) = json.loads(told)
    measured = SimpleNamespace(**one["stats"])
    assert one["label"] == "Liver VI"
    # The viewer measures the line anew between its ends, which stand in the report as single-precision numbers.
    assert measured.length == pytest.approx(LONG_MM, abs=0.01)
    assert measured.width == pytest.approx(SHORT_MM, abs=0.01)
    # The view goes to the slice that the line lies on.
    assert window.until(f"{PANE}.getCurrentImageIdIndex() === 7 || {PANE}.getCurrentImageIdIndex() === 8")
    assert window.faults == []
    assert window.foreign() == []


def test_a_length_that_is_drawn_and_saved_stays_with_the_exam(running: Running, window: Window) -> None:
    window.open(running.viewer(series=True), width=1440)
    page = window.page
    assert window.until(f"{LINES}.length")
    assert window.until(SHADES)
    page.click('[data-cy="MeasurementTools-split-button-primary"]')
    box = page.locator("canvas.cornerstone-canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    page.mouse.move(x - 60, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=4)
    page.mouse.move(x + 60, y, steps=4)
    page.mouse.up()
    lengths = f"{ANNOTATIONS}.filter(a => a.metadata.toolName === 'Length')"
    assert window.until(f"{lengths}.length") == 1
    if not page.get_by_text("Create SR").count():
        page.locator('[data-cy="trackedMeasurements-btn"], [data-cy="panelMeasurement-btn"]').first.click()
    page.get_by_text("Create SR").first.click()
    page.locator("[role=dialog] input").last.fill("Seen by Anna")
    page.locator("[role=dialog] button").filter(has_text="Save").first.click()
    assert window.until("document.body.innerText.includes('saved successfully')")
    assert window.until(f"{lengths}.length") == 1  # it stays on the image
    assert window.foreign() == []
    window.open(f"/exam/{running.study}")
    told = page.locator("#drawn").inner_text()
    assert "Anna" in told
    assert "Seen by Anna" in told
    assert "Length" in told
    window.open(running.viewer(series=True))
    assert window.until(f"{lengths}.length") == 1  # drawn at once, beside ours
    assert window.until(f"{LINES}.length") == 1
    assert window.foreign() == []


def test_the_tools_to_outline_lay_each_segmentation_over_its_own_series_in_its_colours(
    running: Running, window: Window
) -> None:
    window.open(running.viewer("segmentation"))
    # Two panes at once: the second one was left without colours, black over the lesion, two times of three.
    assert window.until(f"JSON.stringify({COLOURS}) === '[[true],[true]]'")
    assert window.faults == []


@pytest.mark.parametrize(("width", "panes"), [(1280, 4), (390, 2)])
def test_pet_and_ct_hang_in_fewer_panes_where_no_graphics_processor_draws_them(
    running: Running, window: Window, width: int, panes: int
) -> None:
    window.open(running.viewer("tmtv"), width=width)
    assert window.until("window.cornerstone.getRenderingCapabilities().softwareRasterizer === true")
    assert window.until(f"{PANES}.length") == panes
    assert window.until("window.cornerstone.cache.getVolumes().every(one => one.loadStatus.loaded)")
    assert window.until(SHADES)
    if panes == 4:
        window.page.keyboard.press(".")  # the viewer's own arrangement comes next
        assert window.until(f"{PANES}.length === 10")
    assert window.foreign() == []


def test_each_weighting_of_a_diffusion_series_is_a_stack_of_its_own_and_the_lesion_is_laid_over_the_measured_one(
    running: Running, window: Window
) -> None:
    window.open(running.viewer(study=named_uid("study", "diffusion")))
    assert window.until(SHADES)
    thumbnails = "[...document.querySelectorAll('[data-cy=\"study-browser-thumbnail\"]')].map(one => one.innerText)"
    wanted = [f"b = {b:g} s/mm² · {vendor}" for vendor in VENDORS for b in WEIGHTINGS] + ["one file"]
    assert window.until(f"{thumbnails}.length === {len(wanted)}")
    seen = window.page.evaluate(thumbnails)
    assert [[one for one in wanted if one in said] for said in seen] == [[one] for one in wanted]
    assert window.until(f"{CORNERS}.includes('b = 0 s/mm²')")
    assert window.until(f"{SEGMENTS}.length === 1 && {PANE}.getActors().some(one => one.representationUID)")

    # All weightings in one file are one stack, no film: each image says its own.
    window.page.locator('[data-cy="study-browser-thumbnail"]').last.dblclick()
    slices = f"{PANE}.type === 'stack' && {PANE}.getImageIds().length"
    assert window.until(slices + " === 12")
    window.page.evaluate(f"() => {{ {PANE}.setImageIdIndex(11); }}")
    assert window.until(f"{CORNERS}.includes('b = 800 s/mm²')")
    assert window.faults == []


def test_three_planes_are_shown(running: Running, window: Window) -> None:
    window.open(running.viewer(series=True, hangingProtocolId="mpr"))
    assert window.until(f"{PANES}.length >= 3")
    assert window.until(SHADES)
    assert window.faults == []
    assert window.foreign() == []
