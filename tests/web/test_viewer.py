"""OHIF in a real browser, on our DICOMweb: images, outlines, measurements; and nobody else is ever asked."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pydicom
import pytest
import uvicorn
from benchmarks.exchange_objects import encapsulated, file_of, image, uid_of
from pydicom.uid import JPEGLosslessSV1
from tests.engine.making import BRUNO, change, ct, drawn, pet

from bingcheng.archive.authorisation import Role, case_space
from bingcheng.archive.cases import grants
from bingcheng.archive.cases.case import CaseStatus, Written, make_case, set_status
from bingcheng.archive.cases.grants import Audience, withdraw_grant
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.archive.people.session import begin_session
from bingcheng.core.measurement import Measurement
from bingcheng.core.provenance import Provenance
from bingcheng.dicom.exam import FrameSource, VolumeFrames
from bingcheng.outputs.seg import write_seg
from bingcheng.outputs.sr import write_sr
from bingcheng.outputs.sr_groups import ReportedLesion
from bingcheng.quantify.size.diameter import Chord, DiameterLine
from bingcheng.server.application import ROUTERS, application, open_site
from bingcheng.server.dicomweb.router import router as dicomweb
from bingcheng.server.quicklook.router import router as quicklook
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site
from bingcheng.server.viewer.installation import BUNDLED, default_folder, found
from bingcheng.server.viewer.serving import router as viewer

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.slow

FLAGS = [
    "--no-sandbox",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics processor; pages are drawn without it, which is quicker
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LONGEST_S = 90
LONG_MM, SHORT_MM = 24.0, 18.0


@dataclass
class Running:
    """A server with an exam of CT and PET, its segmentation and its report; and a session."""

    address: str
    secret: str
    study: str
    ct: str
    pet: str
    damaged: str
    site: Site
    north: int

    def page(
        self, browser: Any, path: str, *, width: int = 1280, language: str = "en-US", secret: str | None = None
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, locale=language)
        context.add_cookies([{"name": "bingcheng", "value": secret or self.secret, "url": self.address}])
        return Page(context, self.address, path)


class Page:
    """An open page, with all that it asked for and complained about."""

    def __init__(self, context: Any, address: str, path: str) -> None:
        self.context, self.address = context, address
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.page = context.new_page()
        context.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.append(said.text) if "Content Security" in said.text else None)
        self.page.goto(address + path)

    def foreign(self) -> list[str]:
        own = (self.address + "/", "blob:", "data:")
        return [url for url in self.asked if not url.startswith(own)]

    def until(self, script: str) -> Any:
        """What a script gives as soon as it gives something. (Playwright's own waiting needs eval in the page.)"""
        end = time.monotonic() + LONGEST_S
        while time.monotonic() < end:
            try:
                given = self.page.evaluate(f"() => {{ try {{ return {script}; }} catch (e) {{ return null; }} }}")
            except playwright.Error:
                given = None  # the page is being exchanged
            if given:
                return given
            time.sleep(0.2)
        pytest.fail(f"never came: {script}; {self.faults}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = os.environ.get("BINGCHENG_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no chromium or google-chrome on this machine")
    with playwright.sync_playwright() as engine:
        started = engine.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


def reported(folder: Path) -> None:
    """The CT's lesion segmented and measured by Bingcheng, in the same study."""
    geometry = ct(folder / "ct", name="ct", patient=BRUNO)
    paths = sorted(path for path in (folder / "ct").rglob("*.dcm") if path.name != "seg.dcm")
    headers = {path: pydicom.dcmread(path, stop_before_pixels=True) for path in paths}
    paths.sort(key=lambda path: float(headers[path].ImagePositionPatient[2]))
    frames = VolumeFrames(
        frames=tuple(FrameSource(path=path) for path in paths),
        geometry=geometry,
        sop_instance_uids=tuple(str(headers[path].SOPInstanceUID) for path in paths),
    )
    region = drawn(geometry, BRUNO)
    seg = write_seg(folder / "ours-seg.dcm", [region], frames)
    center = (40.0, 10.0, float(geometry.to_mm((8, 0, 0))[2]))

    def chord(length: float, axis: int) -> Chord:
        ends = [tuple(c + sign * length / 2 * (n == axis) for n, c in enumerate(center)) for sign in (-1, 1)]
        return Chord(start_mm=ends[0], end_mm=ends[1], length_mm=length)

    axis = DiameterLine(
        slice_index=8,
        long_axis=chord(LONG_MM, 0),
        short_axis=chord(SHORT_MM, 1),
        caliper_width_mm=SHORT_MM,
        longest_chord_mm=LONG_MM,
    )
    provenance = Provenance(measure="volume", revision=1, parameters={}, inputs=("1.2.3",), version="1")
    volume = Measurement(
        key="volume",
        label="Volume",
        unit="ml",
        value=5.5,
        standard_uncertainty=0.2,
        no_value=None,
        provenance=provenance,
    )
    lesion = ReportedLesion(label="Liver VI", tracking_uid=region.tracking_uid or "", measurements=(volume,), axis=axis)
    write_sr(folder / "ours-sr.dcm", [lesion], frames, seg)
    study = headers[paths[0]].StudyInstanceUID
    pet(folder / "pet", name="pet", patient=BRUNO)
    for path in (folder / "pet").rglob("*.dcm"):
        change(path, lambda one: setattr(one, "StudyInstanceUID", study))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    ready = found([default_folder(Path.home(), os.environ), BUNDLED])
    if ready is None:
        pytest.skip("the viewer is not installed: bingcheng viewer install")
    folder = tmp_path_factory.mktemp("exam")
    reported(folder)
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in folder.rglob("*.dcm")]
    series = {one.Modality: one.SeriesInstanceUID for one in headers}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = open_site(Settings(workspace=tmp_path_factory.mktemp("workspace"), port=port))
    with site.workspace.writing() as connection:
        north = make_hospital(connection, name="North", code="N", now=site.now())
        anna = make_person(
            connection, login="anna", name="Anna", hospital=north, roles=[Role.RADIOLOGIST], now=site.now()
        )
        secret = begin_session(connection, anna, now=site.now())
    for path in folder.rglob("*.dcm"):
        origin = Origin(kind="import", peer="test")
        site.objects.receive(path.read_bytes(), space=f"hospital/{north}", origin=origin)
    routers = {
        "bingcheng.server.dicomweb.router": dicomweb,
        "bingcheng.server.viewer.serving": viewer,
        "bingcheng.server.quicklook.router": quicklook,
    }
    app = application(site.settings, site=site, more=[one for name, one in routers.items() if name not in ROUTERS])
    app.state.viewer = ready
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    for number in (1, 2, 3):
        one = image("damaged", "ct", number)
        broken = [b"\xff\xd8\xff\xe0 no image \xff\xd9"]
        data = encapsulated(one, broken, str(JPEGLosslessSV1)) if number == 2 else file_of(one)
        site.objects.receive(data, space=f"hospital/{north}", origin=Origin(kind="import", peer="test"))
    study = headers[0].StudyInstanceUID
    address = f"http://127.0.0.1:{port}"
    yield Running(address, secret, study, series["CT"], series["PT"], uid_of("damaged"), site, north)
    server.should_exit = True
    thread.join(20)
    site.close()


@dataclass
class Given:
    """A case of the hospital that was given to another, and a session of somebody there."""

    site: Site
    study: str
    secret: str
    case: int
    grant: int

    def withdraw(self) -> None:
        with self.site.workspace.writing() as connection:
            assert withdraw_grant(connection, grants.Given.CASE, self.case, self.grant, self.site.now())


def given_case(running: Running) -> Given:
    site = running.site
    now = site.now()
    with site.workspace.writing() as connection:
        south = make_hospital(connection, name="South", code="S", now=now)
        people = [
            make_person(connection, login=name, name=name, hospital=place, roles=[Role.RADIOLOGIST], now=now)
            for name, place in (("author", running.north), ("berta", south))
        ]
        secret = begin_session(connection, people[1], now=now)
        case = make_case(
            connection,
            hospital=running.north,
            author=people[0],
            profile="basic",
            written=Written(title="Case"),
            now=now,
        )
        set_status(connection, case, CaseStatus.PUBLISHED, now)
        given = grants.grant(connection, grants.Given.CASE, case, Audience.HOSPITAL, to=south, by=people[0], now=now)
    for number in (1, 2, 3):
        data = file_of(image("case", "ct", number))
        site.objects.receive(data, space=case_space(case), origin=Origin(kind="import", peer="test"))
    return Given(site, uid_of("case"), secret, case, given)


PANE = "window.cornerstone.getRenderingEngines()[0].getViewports()[0]"
SHADES = f"""(() => {{
  const canvas = document.querySelector('canvas.cornerstone-canvas');
  const small = Object.assign(document.createElement('canvas'), {{ width: 48, height: 48 }});
  const pen = small.getContext('2d');
  pen.drawImage(canvas, 0, 0, 48, 48);
  const seen = new Set(pen.getImageData(0, 0, 48, 48).data);
  return {PANE} && seen.size > 8 ? seen.size : null;
}})()"""
SEGMENTS = "window.cornerstoneTools.segmentation.state.getSegmentations()"
ANNOTATIONS = "window.cornerstoneTools.annotation.state.getAllAnnotations()"


def test_the_ct_is_shown_with_our_segment_over_it_at_the_lesion(running: Running, browser: Any) -> None:
    opened = running.page(
        browser, f"/viewer/viewer?StudyInstanceUIDs={running.study}&initialSeriesInstanceUID={running.ct}"
    )
    assert opened.until(SHADES)
    segments = opened.until(f"{SEGMENTS}.length && JSON.stringify({SEGMENTS}.map(s => Object.values(s.segments)))")
    assert [[one["label"] for one in some] for some in json.loads(segments)] == [["Lesion 1"]]  # ours, not both
    # 16 slices; the lesion lies in the middle, the series begins at its end.
    assert opened.until(f"Math.abs({PANE}.getCurrentImageIdIndex() - 7.5) < 2")
    assert opened.faults == []
    assert opened.foreign() == []
    opened.context.close()


LINES = f"{ANNOTATIONS}.filter(a => a.metadata.toolName === 'Bidirectional')"


def test_our_report_is_drawn_at_once_with_its_name_and_its_lengths(running: Running, browser: Any) -> None:
    opened = running.page(
        browser, f"/viewer/viewer?StudyInstanceUIDs={running.study}&initialSeriesInstanceUID={running.ct}"
    )
    each = "a => ({label: a.data.label, stats: Object.values(a.data.cachedStats)[0]})"
    told = opened.until(f"{LINES}.length && JSON.stringify({LINES}.map({each}))")
    (one,) = json.loads(told)
    measured = SimpleNamespace(**one["stats"])
    assert one["label"] == "Liver VI"
    # The viewer measures the line anew between its ends, which stand in the report as single-precision numbers.
    assert measured.length == pytest.approx(LONG_MM, abs=0.01)
    assert measured.width == pytest.approx(SHORT_MM, abs=0.01)
    # The view goes to the slice that the line lies on.
    assert opened.until(f"{PANE}.getCurrentImageIdIndex() === 7 || {PANE}.getCurrentImageIdIndex() === 8")
    assert opened.faults == []
    assert opened.foreign() == []
    opened.context.close()


def test_a_length_that_is_drawn_and_saved_stays_with_the_exam(running: Running, browser: Any) -> None:
    address = f"/viewer/viewer?StudyInstanceUIDs={running.study}&initialSeriesInstanceUID={running.ct}"
    opened = running.page(browser, address, width=1440)
    page = opened.page
    assert opened.until(f"{LINES}.length")
    assert opened.until(SHADES)
    page.click('[data-cy="MeasurementTools-split-button-primary"]')
    box = page.locator("canvas.cornerstone-canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    page.mouse.move(x - 60, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=4)
    page.mouse.move(x + 60, y, steps=4)
    page.mouse.up()
    lengths = f"{ANNOTATIONS}.filter(a => a.metadata.toolName === 'Length')"
    assert opened.until(f"{lengths}.length") == 1
    if not page.get_by_text("Create SR").count():
        page.locator('[data-cy="trackedMeasurements-btn"], [data-cy="panelMeasurement-btn"]').first.click()
    page.get_by_text("Create SR").first.click()
    page.locator("[role=dialog] input").last.fill("Seen by Anna")
    page.locator("[role=dialog] button").filter(has_text="Save").first.click()
    assert opened.until("document.body.innerText.includes('saved successfully')")
    assert opened.until(f"{lengths}.length") == 1  # it stays on the image
    page.goto(f"{running.address}/exam/{running.study}")
    told = page.locator("#drawn").inner_text()
    assert "Anna" in told
    assert "Seen by Anna" in told
    assert "Length" in told
    page.goto(running.address + address)
    assert opened.until(f"{lengths}.length") == 1  # drawn at once, beside ours
    assert opened.until(f"{LINES}.length") == 1
    assert opened.foreign() == []
    opened.context.close()


def test_what_may_not_be_kept_is_refused_in_words(running: Running, browser: Any) -> None:
    opened = running.page(browser, f"/viewer/viewer?StudyInstanceUIDs={running.study}")
    assert opened.until("window.extensionManager && window.cornerstone.getRenderingEngines().length")
    store = "window.extensionManager.getActiveDataSource()[0].store.dicom"
    said = opened.page.evaluate(f"() => {store}({{StudyInstanceUID: '1.2.3'}}).then(() => 'kept', e => e.message)")
    assert "your own hospital" in said
    assert "discussion" in said
    opened.context.close()


COLOURS = """window.cornerstone.getRenderingEngines()[0].getViewports().map(pane => pane.getActors()
  .filter(one => one.representationUID).map(one => Boolean(one.actor.getProperty().getRGBTransferFunction(0))))"""


def test_the_tools_to_outline_lay_each_segmentation_over_its_own_series_in_its_colours(
    running: Running, browser: Any
) -> None:
    opened = running.page(browser, f"/viewer/segmentation?StudyInstanceUIDs={running.study}")
    # Two panes at once: the second one was left without colours, black over the lesion, two times of three.
    assert opened.until(f"JSON.stringify({COLOURS}) === '[[true],[true]]'")
    assert opened.faults == []
    opened.context.close()


def test_the_browser_keeps_the_program_for_the_next_time_and_no_data(running: Running, browser: Any) -> None:
    opened = running.page(browser, "/login")
    assert opened.until("navigator.serviceWorker.getRegistration('/viewer/').then(r => r && r.active && r.scope)")
    kept = opened.page.evaluate(
        "async () => Promise.all((await caches.keys()).map(async one => (await (await caches.open(one)).keys())"
        ".map(asked => asked.url)))"
    )
    ((program, *pieces),) = kept
    assert program.startswith(f"{running.address}/viewer/")
    assert all(one.endswith(".js") and one.startswith(f"{running.address}/viewer/") for one in (program, *pieces))
    opened.page.goto(f"{running.address}/viewer/viewer?StudyInstanceUIDs={running.study}")
    assert opened.until(SHADES)
    assert opened.faults == []
    assert opened.foreign() == []
    opened.context.close()


def test_what_is_withdrawn_while_it_is_open_is_closed_in_words_when_somebody_works_on(
    running: Running, browser: Any
) -> None:
    case = given_case(running)
    opened = running.page(browser, f"/viewer/viewer?StudyInstanceUIDs={case.study}", secret=case.secret)
    assert opened.until(SHADES)
    opened.page.wait_for_timeout(500)
    case.withdraw()
    opened.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 60000; }")  # some time later
    opened.page.mouse.move(640, 400)
    opened.page.mouse.wheel(0, 100)
    assert opened.until("document.body.innerText.includes('not open to you')")
    assert opened.page.locator("canvas").count() == 0
    assert opened.foreign() == []
    opened.context.close()


def test_a_damaged_image_is_told_in_its_place_and_the_others_are_shown(running: Running, browser: Any) -> None:
    opened = running.page(browser, f"/viewer/viewer?StudyInstanceUIDs={running.damaged}")
    assert opened.until(SHADES)
    covered = "document.querySelector('.bingcheng-not-shown') !== null"
    opened.page.evaluate(f"() => {PANE}.scroll(1)")
    assert opened.until(covered)
    assert "can't be shown" in opened.page.locator(".bingcheng-not-shown").inner_text()
    assert "went wrong" not in opened.page.locator("body").inner_text()
    opened.page.evaluate(f"() => {PANE}.scroll(1)")
    assert opened.until(f"!({covered})")
    assert opened.faults == []
    opened.context.close()


@pytest.mark.parametrize(("width", "panes"), [(1280, 4), (390, 2)])
def test_pet_and_ct_hang_in_fewer_panes_where_no_graphics_processor_draws_them(
    running: Running, browser: Any, width: int, panes: int
) -> None:
    opened = running.page(browser, f"/viewer/tmtv?StudyInstanceUIDs={running.study}", width=width)
    assert opened.until("window.cornerstone.getRenderingCapabilities().softwareRasterizer === true")
    assert opened.until("window.cornerstone.getRenderingEngines()[0].getViewports().length") == panes
    assert opened.until("window.cornerstone.cache.getVolumes().every(one => one.loadStatus.loaded)")
    assert opened.until(SHADES)
    if panes == 4:
        opened.page.keyboard.press(".")  # the viewer's own arrangement comes next
        assert opened.until("window.cornerstone.getRenderingEngines()[0].getViewports().length === 10")
    assert opened.foreign() == []
    opened.context.close()


def test_three_planes_are_shown(running: Running, browser: Any) -> None:
    opened = running.page(
        browser,
        f"/viewer/viewer?StudyInstanceUIDs={running.study}&initialSeriesInstanceUID={running.ct}&hangingProtocolId=mpr",
    )
    assert opened.until("window.cornerstone.getRenderingEngines()[0].getViewports().length >= 3")
    assert opened.until(SHADES)
    assert opened.faults == []
    assert opened.foreign() == []
    opened.context.close()


def test_the_viewer_speaks_chinese_to_who_reads_chinese(running: Running, browser: Any) -> None:
    opened = running.page(browser, f"/viewer/viewer?StudyInstanceUIDs={running.study}", width=390, language="zh-CN")
    assert opened.until(SHADES)
    assert opened.page.evaluate("localStorage.getItem('i18nextLng')") == "zh"
    assert opened.foreign() == []
    opened.context.close()


def test_the_quick_look_is_leafed_through_by_key_and_shows_each_image(running: Running, browser: Any) -> None:
    opened = running.page(browser, f"/quicklook/{running.study}?series={running.ct}")
    stack = opened.page.locator("[data-stack]")
    before = int(stack.locator("[data-place]").inner_text())
    stack.focus()
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("ArrowDown")
    assert int(stack.locator("[data-place]").inner_text()) == before + 2
    assert opened.until(f"document.querySelector('[data-image]').src.includes('/{before + 1}.webp')")
    opened.page.keyboard.press("o")
    assert opened.until("document.querySelector('[data-image]').src.includes('outline=false')")
    assert opened.until("document.querySelector('[data-image]').naturalWidth === 640")
    assert opened.faults == []
    assert opened.foreign() == []
    opened.context.close()


def test_the_quick_look_does_not_run_over_the_side(running: Running, browser: Any) -> None:
    opened = running.page(browser, f"/quicklook/{running.study}", width=390)
    for width in (390, 1280):
        opened.page.set_viewport_size({"width": width, "height": 800})
        widths = opened.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], width
    opened.context.close()
