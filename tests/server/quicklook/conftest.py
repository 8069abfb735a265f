"""A CT and a PET of one phantom, each with its segmentation, stored for a hospital."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pydicom
import pytest
from tests.engine.making import BRUNO, change, ct, pet

from bingcheng.archive.objects.received import Origin
from bingcheng.server.application import ROUTERS
from bingcheng.server.quicklook.router import router

NAME = "bingcheng.server.quicklook.router"


@dataclass
class Look:
    """The quick look as a radiologist in the north uses it; UIDs of the study and its series by modality."""

    served: Any
    client: Any
    study: str
    series: dict[str, str]
    images: dict[str, list[pydicom.Dataset]]

    def get(self, modality: str, name: str, **asked: Any) -> Any:
        return self.client.get(f"/quicklook/{self.study}/{self.series[modality]}/{name}", params=asked)

    def put(self, file: bytes, hospital: int | None = None) -> None:
        space = f"hospital/{self.served.north if hospital is None else hospital}"
        self.served.site.objects.receive(file, space=space, origin=Origin(kind="import", peer="test"))


@pytest.fixture(scope="session")
def exam(tmp_path_factory):
    """Files of the study."""
    folder = tmp_path_factory.mktemp("exam")
    ct(folder / "ct", name="ct", patient=BRUNO)
    pet(folder / "pet", name="pet", patient=BRUNO)
    study = pydicom.dcmread(next((folder / "ct").rglob("*.dcm"))).StudyInstanceUID
    for path in folder.rglob("*.dcm"):
        change(path, lambda one: setattr(one, "StudyInstanceUID", study))
    files = [path.read_bytes() for path in sorted(folder.rglob("*.dcm"))]
    headers = [pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))]
    series = {one.Modality: one.SeriesInstanceUID for one in headers if one.Modality in ("CT", "PT")}
    assert set(series) == {"CT", "PT"}
    return files, headers, series


@pytest.fixture
def look(serve, exam):
    files, headers, series = exam
    served = serve() if NAME in ROUTERS else serve(router)
    images = {
        modality: sorted((one for one in headers if one.Modality == modality), key=lambda one: int(one.InstanceNumber))
        for modality in series
    }
    made = Look(served, served.browser("radiologist"), headers[0].StudyInstanceUID, dict(series), images)
    for file in files:
        made.put(file)
    return made
