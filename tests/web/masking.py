"""One picture on the page where people blank names, and what leaves of it."""

from __future__ import annotations

import io

import numpy as np
from pydicom import dcmread

from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases.preparing import prepare

MARGIN_PX = 3
"""By how much a person draws a box larger than the words."""
BRIGHT, LETTERS = 250, 0.1
"""Of a letter's pixels, and which part of a box around words letters fill at least."""


class Card:
    """One picture on the page."""

    def __init__(self, page, platform, at):
        self.page, self.one = page, platform.exam[at]
        self.root = page.locator(f".picture:has(input[value='{self.one.uid}'])")
        self.image = self.root.locator("[data-frame]")
        self.root.scroll_into_view_if_needed()
        self.drawn()

    def drawn(self):
        """Wait until the frame is there."""
        self.image.scroll_into_view_if_needed()
        self.image.evaluate("one => one.complete && one.naturalWidth ? 0 : new Promise(done => one.onload = done)")

    def at(self, x, y):
        """Where a pixel is in the window."""
        box = self.image.bounding_box()
        return box["x"] + x * box["width"] / self.one.columns, box["y"] + y * box["height"] / self.one.rows

    def draw(self, left, top, right, bottom):
        self.drag((left, top), (right, bottom))

    def drag(self, *places):
        mouse = self.page.mouse
        mouse.move(*self.at(*places[0]))
        mouse.down()
        for place in places[1:]:
            mouse.move(*self.at(*place), steps=4)
        mouse.up()

    def cover(self):
        left, top, right, bottom = self.one.box
        self.image.evaluate(
            """(one, part) => {
                const drawn = one.getBoundingClientRect();
                scrollTo(0, scrollY + drawn.top + part * drawn.height - innerHeight / 2);
            }""",
            top / self.one.rows,
        )
        self.draw(left - MARGIN_PX, top - MARGIN_PX, right + MARGIN_PX, bottom + MARGIN_PX)

    @property
    def regions(self):
        words = self.root.locator("textarea").input_value()
        return [tuple(int(one) for one in line.split(",")) for line in words.splitlines()]

    def press(self, name):
        self.root.locator(f"[data-{name}]").click()

    def decide(self, decision="show"):
        with self.page.expect_navigation():
            self.root.locator(f"[name=decision][value={decision}]").click()

    def badge(self):
        return self.root.locator(".badge").inner_text()


def copies(platform, case):
    """The pixels of the case's own objects, by their number of rows and columns and whether they are a film."""
    prepare(platform.site.workspace, platform.site.objects, case)
    found = {}
    with platform.site.workspace.reading() as connection:
        uids = connection.exec_driver_sql(
            "SELECT DISTINCT study_uid FROM stored_study WHERE space = ?", (case_space(case),)
        ).scalars()
        studies = list(uids)
    for study in studies:
        for one in platform.site.objects.instances_of([case_space(case)], study):
            with platform.site.objects.open_bytes(one) as stream:
                dataset = dcmread(io.BytesIO(stream.read()))
            found[dataset.Rows, dataset.Columns, int(dataset.get("NumberOfFrames", 0))] = dataset
    return found


def original(one):
    dataset = dcmread(io.BytesIO(one.data))
    return dataset, (dataset.Rows, dataset.Columns, int(dataset.get("NumberOfFrames", 0)))


def assert_blank_there_and_nowhere_else(made, one, region):
    before, key = original(one)
    x, y, width, height = region
    now, was = made[key].pixel_array, before.pixel_array
    colour = was.ndim == 3 and before.SamplesPerPixel == 3
    frames = (now[None], was[None]) if was.ndim == 2 or colour else (now, was)
    inside = np.zeros((before.Rows, before.Columns), dtype=bool)
    inside[y : y + height, x : x + width] = True
    left, top, right, bottom = one.box
    assert inside[top:bottom, left:right].all(), "the words are within what was drawn"
    assert (frames[0][:, ~inside] == frames[1][:, ~inside]).all(), "nothing else of the picture is changed"
    blank = frames[0][:, inside]
    assert all(len(np.unique(frame, axis=0)) == 1 for frame in blank), "one value, and no words, in each frame"


def seen_words(card):
    """Which part of the words' box is of their colour on the picture that the person sees."""
    left, top, right, bottom = card.one.box
    script = """(one, box) => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [one.naturalWidth, one.naturalHeight];
        const drawn = canvas.getContext('2d');
        drawn.drawImage(one, 0, 0);
        return [canvas.width, canvas.height, [...drawn.getImageData(...box).data]];
    }"""
    width, height, data = card.image.evaluate(script, [left, top, right - left, bottom - top])
    assert (width, height) == (card.one.columns, card.one.rows), "one pixel on the page is one of the image"
    return float((np.array(data).reshape(-1, 4)[:, 0] >= BRIGHT).mean())


def touched(page, *places, kinds=("touchStart", "touchMove", "touchEnd")):
    """One finger from place to place."""
    session = page.context.new_cdp_session(page)
    for at, (x, y) in enumerate(places):
        session.send("Input.dispatchTouchEvent", {"type": kinds[min(at, 1)], "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": kinds[2], "touchPoints": []})
