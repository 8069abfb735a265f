"""DCMTK's programs as our peers (Debian: dcmtk)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless
from tests.archive.conftest import workspace  # noqa: F401 - fixtures
from tests.archive.dimse.conftest import listening, objects  # noqa: F401
from tests.archive.dimse.making import EXPLICIT, IMPLICIT, SPACE, data_set_of, file_of, image
from tests.archive.dimse.test_tls import pem  # noqa: F401

from bingcheng.archive.dimse import tls
from bingcheng.archive.dimse.calling import Caller, echo
from bingcheng.archive.dimse.peers import May, Peer
from bingcheng.archive.dimse.sending import send
from bingcheng.archive.objects.query import Query

pytestmark = pytest.mark.skipif(shutil.which("storescu") is None, reason="dcmtk is not installed")


def call(program, *arguments, expect=0):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode == expect, said
    return said


@pytest.fixture
def folder(tmp_path):
    """Two series of three slices as files."""
    made = tmp_path / "files"
    made.mkdir()
    for series in (1, 2):
        for number in (1, 2, 3):
            (made / f"{series}{number}.dcm").write_bytes(file_of(image(series=series, number=number)))
    return made


@pytest.fixture
def storescp(tmp_path):
    """A receiver of dcmtk's, and the folder that it fills."""
    running = []

    def start(*options):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        got = tmp_path / "got"
        got.mkdir()
        command = ["storescp", *options, "-od", got, "-aet", "STORESCP", port]
        running.append(subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        return port, got

    yield start
    for process in running:
        process.terminate()
        process.wait(10)


def known(**more):
    return Peer(ae_title="TESTER", networks=("127.0.0.1",), space=SPACE, may=frozenset(May), **more)


def receiver(port, **more):
    return Peer(
        ae_title="STORESCP", networks=("127.0.0.1",), space=SPACE, may=frozenset(), host="127.0.0.1", port=port, **more
    )


def ours(site):
    return ("-aet", "TESTER", "-aec", "BINGCHENG", "127.0.0.1", site.port)


def keyed(*keys):
    return [part for key in keys for part in ("-k", key)]


def kept(site, uid):
    with site.objects.open_bytes(site.objects.instance((SPACE,), None, None, uid)) as stream:
        return stream.read()


def test_echoscu_is_answered(listening):  # noqa: F811
    site = listening()
    call("echoscu", *ours(site))
    said = call("echoscu", "-aet", "STRANGER", "-aec", "BINGCHENG", "127.0.0.1", site.port, expect=1)
    assert "Calling AE Title Not Recognized" in said
    said = call("echoscu", "-aet", "TESTER", "-aec", "OTHER", "127.0.0.1", site.port, expect=1)
    assert "Called AE Title Not Recognized" in said


@pytest.mark.parametrize("asked", ["-x=", "-xi", "-xr"])
def test_storescu_stores_what_findscu_then_finds(listening, folder, asked):  # noqa: F811
    site = listening()
    call("storescu", asked, *ours(site), *sorted(folder.iterdir()))
    keys = ("StudyInstanceUID", "PatientName=*小*", "NumberOfStudyRelatedInstances", "SpecificCharacterSet=ISO_IR 192")
    said = call("findscu", "-S", *ours(site), *keyed("QueryRetrieveLevel=STUDY", *keys))
    assert "1.2.3.1" in said
    assert "[6 ]" in said
    assert "王^小1" in said
    assert [row.attributes["NumberOfStudyRelatedInstances"] for row in site.objects.studies(Query(), (SPACE,))] == [6]


def test_the_bytes_that_storescu_sent_are_kept(listening, folder):  # noqa: F811
    site = listening()
    call("storescu", *ours(site), folder / "11.dcm")
    assert data_set_of(kept(site, "1.2.3.1.1.1")) == data_set_of((folder / "11.dcm").read_bytes())


def test_compressed_objects_are_kept_compressed(listening, tmp_path):  # noqa: F811
    compressed = image()
    compressed.compress(RLELossless, generate_instance_uid=False)
    (tmp_path / "rle.dcm").write_bytes(file_of(compressed))
    site = listening()
    call("storescu", "-xr", *ours(site), tmp_path / "rle.dcm")
    instance = site.objects.instance((SPACE,), None, None, "1.2.3.1.1.1")
    assert instance.transfer_syntax_uid == RLELossless


def test_storescu_is_told_of_what_is_refused(listening, folder, tmp_path):  # noqa: F811
    site = listening()
    call("storescu", *ours(site), folder / "11.dcm")
    (tmp_path / "other.dcm").write_bytes(file_of(image(StudyDescription="Abdomen")))
    said = call("storescu", "-d", *ours(site), tmp_path / "other.dcm", expect=192)
    assert "0xc010" in said.lower()
    assert "kept aside" in said


def test_movescu_sends_to_storescp(listening, folder, storescp, tmp_path):  # noqa: F811
    port, got = storescp("+xa")
    site = listening(known(), receiver(port))
    call("storescu", *ours(site), *sorted(folder.iterdir()))
    wanted = keyed("QueryRetrieveLevel=SERIES", "StudyInstanceUID=1.2.3.1", "SeriesInstanceUID=1.2.3.1.2")
    call("movescu", "-S", *ours(site), "-aem", "STORESCP", *wanted)
    assert sorted(dcmread(one).SOPInstanceUID for one in got.iterdir()) == [f"1.2.3.1.2.{n}" for n in (1, 2, 3)]
    for one in got.iterdir():
        assert data_set_of(one.read_bytes()) == data_set_of(kept(site, dcmread(one).SOPInstanceUID))
    said = call("movescu", "-d", "-S", *ours(site), "-aem", "NOWHERE", *wanted, expect=69)
    assert "MoveDestinationUnknown" in said


def test_getscu_takes_over_its_own_association(listening, folder, tmp_path):  # noqa: F811
    site = listening()
    call("storescu", *ours(site), *sorted(folder.iterdir()))
    got = tmp_path / "got"
    got.mkdir()
    call("getscu", "-S", *ours(site), "-od", got, *keyed("QueryRetrieveLevel=STUDY", "StudyInstanceUID=1.2.3.1"))
    files = list(got.iterdir())
    assert len(files) == 6
    assert {dcmread(one).file_meta.TransferSyntaxUID for one in files} == {EXPLICIT}


def test_we_send_to_storescp_and_decompress_for_one_that_takes_nothing_else(listening, folder, storescp):  # noqa: F811
    port, got = storescp("+xi")
    site = listening()
    compressed = image(number=9)
    compressed.compress(RLELossless, generate_instance_uid=False)
    (folder / "rle.dcm").write_bytes(file_of(compressed))
    call("storescu", "-R", "-xr", *ours(site), *sorted(folder.iterdir()))
    instances = site.objects.instances_of((SPACE,), "1.2.3.1", None)
    echo(Caller(ae_title="BINGCHENG"), receiver(port))
    sent = send(Caller(ae_title="BINGCHENG"), receiver(port), site.objects, instances)
    assert (sent.completed, sent.failed) == (7, ())
    assert {dcmread(one).file_meta.TransferSyntaxUID for one in got.iterdir()} == {IMPLICIT}
    decompressed = next(one for one in map(dcmread, got.iterdir()) if one.SOPInstanceUID == "1.2.3.1.1.9")
    assert decompressed.PixelData == image(number=9).PixelData


@pytest.mark.parametrize("habit", ["--abort-after", "--abort-during"])
def test_a_receiver_that_breaks_off_is_told_apart_from_one_that_refuses(listening, folder, storescp, habit):  # noqa: F811
    port, _ = storescp(habit)
    site = listening()
    call("storescu", *ours(site), *sorted(folder.iterdir()))
    instances = site.objects.instances_of((SPACE,), "1.2.3.1", None)
    sent = send(Caller(ae_title="BINGCHENG"), receiver(port), site.objects, instances)
    assert sent.completed < 6
    assert sent.later == len(sent.failed) == 6 - sent.completed


def test_tls_of_both_sides(listening, folder, storescp, pem):  # noqa: F811
    if "+tla" not in call("storescu", "--help"):
        pytest.skip("this dcmtk was built without TLS")
    certificate, key = pem
    port, got = storescp("+tls", key, certificate, "-ic")
    secret = tls.caller(certificate, certificate, key)
    site = listening(tls=tls.acceptor(certificate, key))
    call("storescu", "+tla", "-ic", *ours(site), *sorted(folder.iterdir()))
    call("storescu", "+tls", key, certificate, "+cf", certificate, *ours(site), folder / "11.dcm")
    call("echoscu", *ours(site), expect=1)
    instances = site.objects.instances_of((SPACE,), "1.2.3.1", None)
    assert (
        send(Caller(ae_title="BINGCHENG", tls=secret), receiver(port, tls=True), site.objects, instances).completed == 6
    )
    assert len(list(Path(got).iterdir())) == 6
