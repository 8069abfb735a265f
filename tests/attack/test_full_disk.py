"""A disk that fills while people and scanners work: said as such, nothing lost, nothing done that is not recorded."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from tests.archive.objects.sent import file
from tests.server.cases.published import publish
from tests.server.conftest import serving
from tests.server.examples import STUDY, ct_file, prepare

from bingcheng.archive.audit.trail import Asked, events, verify
from bingcheng.archive.authorisation import hospital_space
from bingcheng.archive.dimse.events import DimseEvent, EventKind
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.invitation import invitations
from bingcheng.archive.people.person import person
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.server.background.services import _record

MIB = 1 << 20
DICOM = {"content-type": "application/dicom"}


@pytest.fixture
def disk(tmp_path):
    """A file system of 24 MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only the superuser can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def served(disk):
    made = serving(disk / "workspace")
    made.site.owed.begin(made.site.workspace)  # as whoever starts a server does
    prepare(made)
    yield made
    made.close()


def fill(disk, *, leave):
    free = os.statvfs(disk)
    with (disk / "filler").open("ab") as filler:
        filler.write(bytes(max(0, free.f_bavail * free.f_frsize - leave)))


def trail(served):
    served.application.state.recorder.flush()
    with served.site.workspace.reading() as connection:
        found = [one.event for one in events(connection, Asked())]
        assert verify(connection) == len(found)
    return [one.what for one in found if not int(one.outcome)]


def sent(served, number):
    """An object as a scanner sends it; the code with which it is refused."""
    try:
        served.site.objects.receive(
            file(number), space=hospital_space(served.north), origin=Origin(kind="dimse", peer="CT1@192.0.2.1")
        )
    except BingchengError as error:
        return error.code
    return None


def told_stored(served):
    _record(
        served.site,
        DimseEvent(
            at=served.clock(),
            kind=EventKind.STORED,
            ae_title="CT1",
            address="192.0.2.1",
            succeeded=True,
            code="0000",
            space=hospital_space(served.north),
            study_uids=(STUDY,),
            completed=1,
        ),
    )


@pytest.mark.parametrize("leave", [0, 16_384, 300_000])
def test_what_is_changed_is_recorded_and_what_cannot_be_is_not_changed(served, disk, leave):
    admin, technologist, author = (served.browser(who) for who in ("site-admin", "technologist", "radiologist"))
    case = publish(served, STUDY, published=False)
    changes = {
        "own-account": lambda n: technologist.post("/account/profile", data={"name": f"Name {n}"}),
        "manage-people": lambda n: admin.post("/admin/people/invite", data={"role": ["guest"]}),
    }
    fill(disk, leave=leave)
    done = dict.fromkeys(changes, 0)
    refused = number = 0
    while refused < 4:
        number += 1
        for what, change in changes.items():
            status = change(number).status_code
            assert status in (303, 200, 507)
            done[what] += status != 507
            refused += status == 507
    assert technologist.post("/dicomweb/studies", content=ct_file("x"), headers=DICOM).status_code == 507
    assert author.post(f"/cases/{case}/publish").status_code in (303, 507)
    assert sent(served, 1) == "archive.disk-full"
    with served.site.workspace.reading() as connection:
        made = len(invitations(connection, served.north, served.clock()))
        name = person(connection, served.people["technologist"]).name
    (disk / "filler").unlink()
    found = trail(served)
    assert {what: found.count(what) for what in changes} == done
    assert made == done["manage-people"]
    assert name == (f"Name {done['own-account']}" if done["own-account"] else "Technologist")
    assert not served.site.objects.check().lost
    assert changes["own-account"](0).status_code == 303
    assert sent(served, 1) is None
    assert technologist.post("/dicomweb/studies", content=ct_file("x"), headers=DICOM).status_code in (200, 202, 409)


def test_people_work_and_remove_what_is_old_while_no_object_finds_room(served, disk):
    admin, technologist = served.browser("site-admin"), served.browser("technologist")
    fill(disk, leave=400_000)
    answer = technologist.post("/dicomweb/studies", content=ct_file("x"), headers=DICOM)
    assert (answer.status_code, answer.json()["00081198"]["Value"][0]["00081197"]["Value"]) == (409, [0xA700])
    assert sent(served, 1) == "archive.disk-full"
    assert technologist.post("/account/profile", data={"name": "Another"}).status_code == 303
    assert admin.delete(f"/dicomweb/studies/{STUDY}").status_code in (200, 204)
    assert trail(served).count("delete-objects") == 1


def test_a_change_that_could_not_be_recorded_after_all_is_owed_and_nothing_more_is_changed(served, monkeypatch):
    technologist, writing = served.browser("technologist"), served.site.workspace.writing
    asked = iter([False, False, True])  # the check, the change, the record of it

    def fails():
        if next(asked, True):
            raise InputError(DISK_FULL)
        return writing()

    with monkeypatch.context() as patched:
        patched.setattr(type(served.site.workspace), "writing", lambda _: fails())
        assert technologist.post("/account/profile", data={"name": "Another"}).status_code == 507
        assert technologist.post("/account/profile", data={"name": "A third"}).status_code == 507
        with pytest.raises(BingchengError):
            told_stored(served)
    with served.site.workspace.reading() as connection:
        assert person(connection, served.people["technologist"]).name == "Another"
    assert len(served.site.owed) == 2
    assert technologist.post("/account/profile", data={"name": "A fourth"}).status_code == 303
    found = trail(served)
    assert (found.count("own-account"), found.count("dimse-stored"), len(served.site.owed)) == (2, 1, 0)
