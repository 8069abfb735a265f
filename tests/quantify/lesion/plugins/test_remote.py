"""Against a real HTTP server on this machine that speaks MONAI Label's protocol and thresholds what it gets."""

import dataclasses
import email
import email.policy
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import SimpleITK

from bingcheng.core.errors import InputError, RefusedError, RemoteError, Undefined
from bingcheng.quantify.lesion.plugins.remote import RemoteModel, RemoteServer, remote_method, remote_models
from bingcheng.quantify.lesion.prompt import Box, Click
from bingcheng.quantify.lesion.segment import segment

SECRET = "s3cret"  # noqa: S105 - of a server that lives for one test
INFO = {
    "name": "MONAILabel - Radiology",
    "models": {
        "segmentation_lesion": {"type": "segmentation", "labels": {"lesion": 1}, "description": "finds lesions"},
        "deepedit": {"type": "deepedit", "labels": ["lesion"], "dimension": 3, "description": ""},
    },
}


class Label(BaseHTTPRequestHandler):
    """GET /info/ and POST /infer/{model}; what it got is kept on the server object."""

    def log_message(self, *args):
        pass

    def _answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers), {}, b""))
        if self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._answer(401, b"{}")
        elif self.path == "/label/info/":
            self._answer(200, json.dumps(self.server.info).encode(), Content_Type="application/json")
        else:
            self._answer(404, b"{}")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = email.message_from_bytes(head + body, policy=email.policy.HTTP)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
        image = parts["file"].get_payload(decode=True)
        parameters = json.loads(parts["params"].get_payload(decode=True))
        self.server.seen.append((self.path, dict(self.headers), parameters, image))
        model = self.path.split("?")[0].rsplit("/", 1)[1]
        if model not in self.server.info["models"]:
            self._answer(404, b'{"detail":"model not found"}')
        elif self.server.status != 200:
            self._answer(self.server.status, b'{"detail":"failed"}')
        else:
            self._answer(
                200,
                self.server.reply(image, self.server.folder),
                Content_Type="application/gzip",
                Content_Disposition='attachment; filename="tmp1.nii.gz"',
            )


def thresholded(image, folder):
    """The label image of what is above 50."""
    (folder / "in.nii.gz").write_bytes(image)
    read = SimpleITK.ReadImage(str(folder / "in.nii.gz"))
    SimpleITK.WriteImage(SimpleITK.Cast(read > 50.0, SimpleITK.sitkUInt8), str(folder / "out.nii.gz"))
    return (folder / "out.nii.gz").read_bytes()


@pytest.fixture
def label(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Label)
    server.seen, server.info, server.status, server.token = [], INFO, 200, None
    server.reply, server.folder = thresholded, tmp_path
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.at = RemoteServer(url=f"http://127.0.0.1:{server.server_port}/label", timeout_s=10.0)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def method_of(label, *, allowed=True, model="deepedit"):
    described = RemoteModel(name=model, kind="deepedit", labels=("lesion",), description="")
    return remote_method(label.at, described, modality="CT", may_leave_machine=allowed)


def click_on(volume, index=(12, 15, 15)):
    return Click(position_mm=tuple(volume.geometry.to_mm(index)))


def test_the_servers_models_are_listed(label):
    models = remote_models(label.at)
    assert [one.name for one in models] == ["deepedit", "segmentation_lesion"]
    assert models[1].labels == ("lesion",)
    assert models[1].description == "finds lesions"


def test_the_clicked_part_of_the_answer_comes_back_on_the_images_grid(label, two_cubes):
    found = segment(two_cubes, click_on(two_cubes), method_of(label))
    truth = np.zeros(two_cubes.voxels.shape, dtype=bool)
    truth[10:16, 10:22, 10:22] = True
    mask = np.zeros(found.grid.shape, dtype=bool)
    mask[found.box()] = found.inside
    assert np.array_equal(mask, truth)
    assert found.method.startswith(f"remote_deepedit(host=127.0.0.1:{label.server_port}, model=deepedit")


def test_what_is_sent_is_the_neighbourhood_with_the_click_in_its_voxels(label, two_cubes):
    method = method_of(label)
    small = dataclasses.replace(method.usual, reach_mm=10.0)
    segment(two_cubes, click_on(two_cubes), method, small)
    path, headers, parameters, image = label.seen[-1]
    assert path == "/label/infer/deepedit?image=&output=image"
    assert "Authorization" not in headers
    (label.folder / "sent.nii.gz").write_bytes(image)
    sent = SimpleITK.ReadImage(str(label.folder / "sent.nii.gz"))
    # 10 mm each way: 5 voxels of 2 mm along z, 10 of 1 mm along y and x.
    assert sent.GetSize() == (21, 21, 11)
    x, y, z = parameters["foreground"][0]
    assert sent.TransformIndexToPhysicalPoint((x, y, z)) == pytest.approx(click_on(two_cubes).position_mm, abs=1e-3)
    assert sent.GetPixel(x, y, z) == 100.0


def test_the_slices_of_a_tilted_gantry_are_sent_upright_and_the_answer_comes_back_askew(label, two_cubes):
    across, down, along = two_cubes.geometry.axes
    leaning = tuple(float(v) for v in np.cos(0.35) * np.asarray(across) + np.sin(0.35) * np.asarray(down))
    grid = dataclasses.replace(two_cubes.geometry, axes=(leaning, down, along))
    tilted = dataclasses.replace(two_cubes, geometry=grid)
    found = segment(tilted, click_on(tilted), method_of(label))
    (label.folder / "sent.nii.gz").write_bytes(label.seen[-1][3])
    sent = SimpleITK.ReadImage(str(label.folder / "sent.nii.gz"))
    directions = np.asarray(sent.GetDirection()).reshape(3, 3)
    assert np.allclose(directions.T @ directions, np.eye(3))
    assert found.grid.same_grid(grid)
    truth = np.zeros(tilted.voxels.shape, dtype=bool)
    truth[10:16, 10:22, 10:22] = True
    mask = np.zeros(grid.shape, dtype=bool)
    mask[found.box()] = found.inside
    # Each slice is moved by a part of a pixel, there and back: its first and last row may go.
    assert 2.0 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.95


def test_a_box_is_told_by_its_corners_and_its_middle(label, two_cubes):
    box = Box(
        corner_mm=tuple(two_cubes.geometry.to_mm((9, 8, 8))), opposite_mm=tuple(two_cubes.geometry.to_mm((17, 24, 24)))
    )
    found = segment(two_cubes, box, method_of(label))
    assert found.inside.sum() == 6 * 12 * 12
    parameters = label.seen[-1][2]
    assert parameters["roi"][1] - parameters["roi"][0] == 16
    assert parameters["roi"][5] - parameters["roi"][4] == 8


def test_nothing_is_sent_unless_somebody_allowed_it(label, two_cubes):
    method = method_of(label, allowed=False)
    assert method.leaves_machine
    assert "sent" in str(method.label)
    with pytest.raises(RefusedError) as caught:
        segment(two_cubes, click_on(two_cubes), method)
    assert caught.value.code == "quantify.remote-not-allowed"
    assert label.seen == []


@pytest.mark.parametrize(
    "url", ["http://example.org/label", "ftp://127.0.0.1", "file:///etc", "http://127.0.0.1.example"]
)
def test_only_https_or_this_machine_is_asked(url):
    with pytest.raises(RefusedError, match=r"quantify\.remote-not-secure"):
        remote_models(RemoteServer(url=url))


def test_a_token_is_sent_and_never_shown_or_recorded(label, two_cubes):
    label.token = SECRET
    with pytest.raises(RefusedError, match=r"quantify\.remote-not-let-in"):
        remote_models(label.at)
    label.at = dataclasses.replace(label.at, token=SECRET)
    assert remote_models(label.at)
    assert SECRET not in repr(label.at)
    found = segment(two_cubes, click_on(two_cubes), method_of(label))
    assert label.seen[-1][1]["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in found.method


def test_a_machine_that_does_not_answer_is_tried_again_later(two_cubes):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(RemoteError) as caught:
        remote_models(RemoteServer(url=f"http://127.0.0.1:{port}", timeout_s=2.0))
    assert caught.value.code == "quantify.remote-unreachable"
    assert "try again" in caught.value.problem.remedy


def test_a_failing_server_is_tried_again_later(label, two_cubes):
    label.status = 500
    with pytest.raises(RemoteError) as caught:
        segment(two_cubes, click_on(two_cubes), method_of(label))
    assert caught.value.code == "quantify.remote-failed"
    assert caught.value.reason.facts["status"] == 500


def test_an_unknown_model_is_named(label, two_cubes):
    with pytest.raises(InputError, match=r"quantify\.remote-unknown-model"):
        segment(two_cubes, click_on(two_cubes), method_of(label, model="other"))


def test_strange_answers_are_told(label, two_cubes):
    label.reply = lambda image, folder: b"<html>no</html>"
    with pytest.raises(RemoteError, match=r"quantify\.remote-answer"):
        segment(two_cubes, click_on(two_cubes), method_of(label))
    label.info = {"models": "none"}
    with pytest.raises(RemoteError, match=r"quantify\.remote-answer"):
        remote_models(label.at)


def test_an_empty_answer_is_nothing_found(label, two_cubes):
    label.reply = lambda image, folder: thresholded(image, folder) if folder is None else _none(image, folder)
    with pytest.raises(Undefined, match=r"quantify\.plugin-found-nothing"):
        segment(two_cubes, click_on(two_cubes), method_of(label))


def _none(image, folder):
    (folder / "in.nii.gz").write_bytes(image)
    read = SimpleITK.ReadImage(str(folder / "in.nii.gz"))
    SimpleITK.WriteImage(SimpleITK.Cast(read > 1e6, SimpleITK.sitkUInt8), str(folder / "out.nii.gz"))
    return (folder / "out.nii.gz").read_bytes()


def test_an_answer_on_another_grid_is_carried_over(label, two_cubes):
    def finer(image, folder):
        (folder / "label.nii.gz").write_bytes(thresholded(image, folder))
        read = SimpleITK.ReadImage(str(folder / "label.nii.gz"))
        size = [2 * n for n in read.GetSize()]
        spacing = [s / 2 for s in read.GetSpacing()]
        origin = read.TransformContinuousIndexToPhysicalPoint((-0.25, -0.25, -0.25))
        fine = SimpleITK.Resample(
            read, size, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor, origin, spacing, read.GetDirection(), 0
        )
        SimpleITK.WriteImage(fine, str(folder / "fine.nii.gz"))
        return (folder / "fine.nii.gz").read_bytes()

    label.reply = finer
    found = segment(two_cubes, click_on(two_cubes), method_of(label))
    # Trilinear interpolation rounds off the cube's edges and corners.
    assert found.inside.sum() == pytest.approx(6 * 12 * 12, rel=0.05)
