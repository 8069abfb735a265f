"""A served exam and the viewer on it, and the pages of a browser that look at it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from benchmarks.exchange_objects import encapsulated, file_of, image, uid_of
from pydicom.uid import JPEGLosslessSV1
from tests.engine.making import BRUNO, FIRST, body, change, ct, device, drawn, grid, pet
from tests.engine.making import study as study_of
from tests.web.listening import free_port, listening

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
from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.dicom.exam import FrameSource, VolumeFrames
from bingcheng.dicom.write.enhanced_mr import write_enhanced_mr
from bingcheng.dicom.write.header import uid_of as named_uid
from bingcheng.dicom.write.mr import write_mr
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Stack
from bingcheng.outputs.seg import write_seg
from bingcheng.outputs.sr import write_sr
from bingcheng.outputs.sr_groups import ReportedLesion
from bingcheng.quantify.size.diameter import Chord, DiameterLine
from bingcheng.server.application import application, open_site
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site
from bingcheng.server.viewer.installation import BUNDLED, Installation, default_folder, found

LONGEST_S = 90
HEIGHT = 600
"""Of a window: without a graphics processor a program draws each of its pixels."""
LONG_MM, SHORT_MM = 24.0, 18.0


def installed_viewer() -> Installation:
    """The viewer of this machine; the test is skipped without one."""
    ready = found([default_folder(Path.home(), os.environ), BUNDLED])
    if ready is None:
        pytest.skip("the viewer is not installed: bingcheng viewer install")
    return ready


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

    def window(self, browser: Any, *, language: str = "en-US", secret: str | None = None) -> Window:
        """A window that has shown nothing yet, of who has the session."""
        context = browser.new_context(locale=language)
        context.add_cookies([{"name": "bingcheng", "value": secret or self.secret, "url": self.address}])
        return Window(context, self.address)

    def viewer(self, mode: str = "viewer", *, series: bool = False, study: str = "", **more: str) -> str:
        """The path of the viewer on the exam, or another study; with `series`, on its CT."""
        first = {"initialSeriesInstanceUID": self.ct} if series else {}
        asked = {"StudyInstanceUIDs": study or self.study, **first, **more}
        return f"/viewer/{mode}?" + "&".join(f"{name}={value}" for name, value in asked.items())


class Window:
    """A window of a browser, with all that its page asked for and complained about."""

    def __init__(self, context: Any, address: str) -> None:
        self.context, self.address = context, address
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.page = context.new_page()
        context.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.append(said.text) if "Content Security" in said.text else None)

    def open(self, path: str, *, width: int = 1280) -> None:
        """Show a page in place of the one before, whose requests and complaints are forgotten."""
        self.page.goto("about:blank")
        self.asked.clear()
        self.faults.clear()
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.page.goto(self.address + path)

    def foreign(self) -> list[str]:
        """The addresses of others that were asked."""
        own = (self.address + "/", "blob:", "data:")
        return [url for url in self.asked if not url.startswith(own)]

    def until(self, script: str) -> Any:
        """What a script gives as soon as it gives something."""
        return until(self.page, script, self.faults)


def reported(folder: Path) -> None:
    """The CT's lesion segmented and measured by Bingcheng, in the same study."""
    geometry = ct(folder / "ct", name="ct", patient=BRUNO)
    frames = _frames((path for path in (folder / "ct").rglob("*.dcm") if path.name != "seg.dcm"), geometry)
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
    study = pydicom.dcmread(frames.frames[0].path, stop_before_pixels=True).StudyInstanceUID
    pet(folder / "pet", name="pet", patient=BRUNO)
    for path in (folder / "pet").rglob("*.dcm"):
        change(path, lambda one: setattr(one, "StudyInstanceUID", study))


def _frames(paths: Iterable[Path], geometry: VolumeGeometry) -> VolumeFrames:
    headers = {path: pydicom.dcmread(path, stop_before_pixels=True) for path in paths}
    placed = sorted(headers, key=lambda path: float(headers[path].ImagePositionPatient[2]))
    return VolumeFrames(
        frames=tuple(FrameSource(path=path) for path in placed),
        geometry=geometry,
        sop_instance_uids=tuple(str(headers[path].SOPInstanceUID) for path in placed),
    )


VENDORS = ("SIEMENS", "GE", "PHILIPS", "UIH", "CANON")
"""Each keeps the b-value in a place of its own."""
WEIGHTINGS = (0.0, 800.0)


def diffusion(folder: Path) -> None:
    """A study of a diffusion series of each vendor, the lesion outlined on the lowest b-value of the first.

    The last one stands in a single file.
    """
    geometry = grid((6, 32, 32), (6.0, 10.0, 10.0), "diffusion")
    volumes = tuple(
        body(900 * np.exp(-b * 2e-3), 900 * np.exp(-b * 1e-3), geometry, 0.0, "{arbitrary}") for b in WEIGHTINGS
    )
    stack = Stack(volumes=volumes, axis="b_value", values=WEIGHTINGS, unit="s/mm2")
    for number, vendor in enumerate(VENDORS, start=1):
        acquired = MrAcquisition(
            modality="MR",
            series_uid=named_uid("diffusion", vendor),
            device=replace(device("North", vendor), vendor=vendor, manufacturer=vendor),
            started_at=FIRST,
            series_description=vendor,
            image_type=("ORIGINAL", "PRIMARY", "OTHER"),
            b_values_s_per_mm2=WEIGHTINGS,
            patient_position="HFS",
        )
        paths = write_mr(
            stack, acquired, study_of("diffusion", BRUNO, FIRST), folder / str(number), series_number=number
        )
        if number == 1:
            write_seg(folder / "seg.dcm", [drawn(geometry, BRUNO)], _frames(paths[: geometry.shape[0]], geometry))
    alone = replace(acquired, series_uid=named_uid("diffusion", "one file"), series_description="one file")
    write_enhanced_mr(stack, alone, study_of("diffusion", BRUNO, FIRST), folder / "alone", series_number=9)


@contextmanager
def served(exam: Path, workspace: Path) -> Iterator[Running]:
    """Serve what `reported` wrote into a folder, a study of diffusion, and one with a damaged image."""
    ready, port = installed_viewer(), free_port()
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in exam.rglob("*.dcm")]
    series = {one.Modality: one.SeriesInstanceUID for one in headers}
    site = open_site(Settings(workspace=workspace, port=port))
    with site.workspace.writing() as connection:
        north = make_hospital(connection, name="North", code="N", now=site.now())
        anna = make_person(
            connection, login="anna", name="Anna", hospital=north, roles=[Role.RADIOLOGIST], now=site.now()
        )
        secret = begin_session(connection, anna, now=site.now())
    diffusion(workspace / "made")
    made = (path.read_bytes() for place in (exam, workspace / "made") for path in place.rglob("*.dcm"))
    for data in (*made, *_damaged()):
        site.objects.receive(data, space=f"hospital/{north}", origin=Origin(kind="import", peer="test"))
    app = application(site.settings, site=site)
    app.state.viewer = ready
    with listening(app, port) as address:
        study = headers[0].StudyInstanceUID
        yield Running(address, secret, study, series["CT"], series["PT"], uid_of("damaged"), site, north)
    site.close()


def _damaged() -> Iterator[bytes]:
    """Three images, of which the second can't be decoded."""
    for number in (1, 2, 3):
        one = image("damaged", "ct", number)
        broken = [b"\xff\xd8\xff\xe0 no image \xff\xd9"]
        yield encapsulated(one, broken, str(JPEGLosslessSV1)) if number == 2 else file_of(one)


@dataclass
class Given:
    """A case of the hospital that was given to another, and a session of somebody there."""

    site: Site
    study: str
    secret: str
    case: int
    grant: int

    def withdraw(self) -> None:
        """Take it back."""
        with self.site.workspace.writing() as connection:
            assert withdraw_grant(connection, grants.Given.CASE, self.case, self.grant, self.site.now())


def given_case(running: Running) -> Given:
    """A published case of three images, given to another hospital."""
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
LINES = f"{ANNOTATIONS}.filter(a => a.metadata.toolName === 'Bidirectional')"


def until(page: Any, script: str, faults: Sequence[str] = ()) -> Any:
    """What a script gives as soon as it gives something. (Playwright's own waiting needs eval in the page.)"""
    from playwright.sync_api import Error  # noqa: PLC0415 - where it is missing, the tests are skipped

    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        try:
            given = page.evaluate(f"() => {{ try {{ return {script}; }} catch (e) {{ return null; }} }}")
        except Error:
            given = None  # the page is being exchanged
        if given:
            return given
        time.sleep(0.2)
    pytest.fail(f"never came: {script}; {faults}")
