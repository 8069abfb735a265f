"""Orthanc as our peer: it sends to us, searches here and pulls from us (Debian: orthanc)."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from tests.archive.conftest import workspace  # noqa: F401 - fixtures
from tests.archive.dimse.conftest import listening, objects  # noqa: F401
from tests.archive.dimse.making import SPACE, data_set_of, file_of, image

from bingcheng.archive.dimse.calling import Caller, echo
from bingcheng.archive.dimse.peers import May, Peer, add_peer
from bingcheng.archive.dimse.sending import send
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import Origin

ORTHANC = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
pytestmark = pytest.mark.skipif(not os.path.exists(ORTHANC), reason="Orthanc is not installed")  # noqa: PTH110


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Orthanc:
    """A running Orthanc, spoken to by its REST interface on this machine."""

    def __init__(self, folder, peer_port):
        self.http, self.dicom = free_port(), free_port()
        settings = {
            "Name": "peer",
            "StorageDirectory": str(folder),
            "IndexDirectory": str(folder),
            "HttpPort": self.http,
            "DicomPort": self.dicom,
            "DicomAet": "ORTHANC",
            "DicomCheckCalledAet": True,
            "RemoteAccessAllowed": False,
            "Plugins": [],
            "DicomModalities": {"ours": ["BINGCHENG", "127.0.0.1", peer_port]},
            "StorageCommitmentReportsSize": 10,
            "DicomAlwaysAllowMove": True,
        }
        (folder / "orthanc.json").write_text(json.dumps(settings))
        self.process = subprocess.Popen(
            [ORTHANC, str(folder / "orthanc.json")],
            env={**os.environ, "TCP_NODELAY": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 20
        while not self.is_up():
            assert time.monotonic() < until, "Orthanc did not start"
            time.sleep(0.1)

    def is_up(self):
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.http)) == 0

    def ask(self, path, body=None):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", data=data)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")


@pytest.fixture
def pair(listening, tmp_path):  # noqa: F811
    """A listener and an Orthanc that know each other."""
    site = listening()
    folder = tmp_path / "orthanc"
    folder.mkdir()
    orthanc = Orthanc(folder, site.port)
    with site.workspace.writing() as connection:
        known = add_peer(
            connection,
            Peer(
                ae_title="ORTHANC",
                networks=("127.0.0.1",),
                space=SPACE,
                may=frozenset(May),
                host="127.0.0.1",
                port=orthanc.dicom,
            ),
        )
    yield site, orthanc, known
    orthanc.process.kill()
    orthanc.process.wait(20)


def test_orthanc_echoes_and_is_echoed(pair):
    _, orthanc, known = pair
    orthanc.ask("/modalities/ours/echo", {})
    echo(Caller(ae_title="BINGCHENG"), known)


def test_orthanc_sends_to_us_with_storage_commitment(pair):
    site, orthanc, _ = pair
    files = [file_of(image(number=number)) for number in (1, 2, 3)]
    ids = [orthanc.ask("/instances", file)["ID"] for file in files]
    done = orthanc.ask("/modalities/ours/store", {"Resources": ids, "Synchronous": True, "StorageCommitment": True})
    assert (done["InstancesCount"], done["FailedInstancesCount"]) == (3, 0)
    with site.objects.open_bytes(site.objects.instance((SPACE,), None, None, "1.2.3.1.1.2")) as stream:
        assert data_set_of(stream.read()) == data_set_of(files[1])
    transaction = done["StorageCommitmentTransactionUID"]
    until = time.monotonic() + 15
    while (report := orthanc.ask(f"/storage-commitment/{transaction}"))["Status"] == "Pending":
        assert time.monotonic() < until, "the verdict never came"
        time.sleep(0.1)
    assert (report["Status"], len(report["Success"]), report["Failures"]) == ("Success", 3, [])


def test_orthanc_searches_here_and_pulls_what_it_found(pair):
    site, orthanc, _ = pair
    for study, number in ((1, 1), (1, 2), (2, 1)):
        made = file_of(image(study=study, number=number))
        site.objects.receive(made, space=SPACE, origin=Origin(kind="import", peer="test"))
    found = orthanc.ask("/modalities/ours/query", {"Level": "Study", "Query": {"PatientID": "KH-1"}})["ID"]
    (answer,) = orthanc.ask(f"/queries/{found}/answers")
    content = orthanc.ask(f"/queries/{found}/answers/{answer}/content?simplify")
    assert content["StudyInstanceUID"] == "1.2.3.1"
    orthanc.ask(f"/queries/{found}/answers/{answer}/retrieve", {"TargetAet": "ORTHANC", "Synchronous": True})
    assert len(orthanc.ask("/instances")) == 2
    (uid, *_) = orthanc.ask("/instances")
    with urllib.request.urlopen(f"http://127.0.0.1:{orthanc.http}/instances/{uid}/file", timeout=30) as got:
        pulled = got.read()
    kept = {data_set_of(file_of(image(number=number))) for number in (1, 2)}
    assert data_set_of(pulled) in kept


def test_we_send_to_orthanc(pair):
    site, orthanc, known = pair
    for number in (1, 2, 3):
        site.objects.receive(file_of(image(number=number)), space=SPACE, origin=Origin(kind="import", peer="test"))
    instances = site.objects.instances_of((SPACE,), "1.2.3.1", None)
    assert send(Caller(ae_title="BINGCHENG"), known, site.objects, instances).completed == 3
    assert len(orthanc.ask("/instances")) == 3
    assert len(site.objects.studies(Query(), (SPACE,))) == 1


def asked_to_move(node, title, to, study):
    """What movescu says that asks a node to send a study to another."""
    command = ["movescu", "-v", "-S", "-aet", "TESTER", "-aec", title, "-aem", to, "127.0.0.1", str(node)]
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}"]
    return subprocess.run([*command, *keys], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.skipif(shutil.which("movescu") is None, reason="dcmtk is not installed")
def test_a_third_node_has_studies_moved_between_orthanc_and_us_both_ways(pair):
    site, orthanc, _ = pair
    here = {number: file_of(image(study=1, number=number)) for number in (1, 2, 3)}
    there = {number: file_of(image(study=2, number=number)) for number in (1, 2)}
    for made in here.values():
        site.objects.receive(made, space=SPACE, origin=Origin(kind="import", peer="test"))
    for made in there.values():
        orthanc.ask("/instances", made)
    done = asked_to_move(site.port, "BINGCHENG", "ORTHANC", "1.2.3.1")
    assert (done.returncode, "Success" in done.stderr + done.stdout) == (0, True), done.stderr
    assert len(orthanc.ask("/instances")) == 5
    done = asked_to_move(orthanc.dicom, "ORTHANC", "BINGCHENG", "1.2.3.2")
    assert done.returncode == 0, done.stderr
    moved = site.objects.instances_of((SPACE,), "1.2.3.2", None)
    assert len(moved) == 2
    for one in moved:
        with site.objects.open_bytes(one) as stream:
            assert data_set_of(stream.read()) in set(map(data_set_of, there.values()))
