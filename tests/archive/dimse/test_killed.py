"""kill -9 in the middle of receiving: what was answered with success is there, what was promised is kept."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
from pydicom.uid import CTImageStorage
from pynetdicom import AE
from pynetdicom.sop_class import StorageCommitmentPushModel
from tests.archive.dimse.making import EXPLICIT, SPACE, data_set_of, file_of, image
from tests.archive.dimse.test_committing import HERE, KEPT, Reports, ask, request

from bingcheng.archive.dimse.calling import Caller, opened
from bingcheng.archive.dimse.commands import C_STORE, number
from bingcheng.archive.dimse.endings import Ended
from bingcheng.archive.dimse.listener import Listener
from bingcheng.archive.dimse.peers import May, Peer, add_peer
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.query import Query
from bingcheng.archive.workspace import Workspace

SERVER = """
import sys, time
from pathlib import Path
from bingcheng.archive.dimse.listener import Listener
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.workspace import Workspace
workspace = Workspace.open(Path(sys.argv[1]))
listener = Listener(workspace, Objects.open(workspace), port=0)
listener.start()
print(listener.port, flush=True)
time.sleep(120)
"""
COUNT, PARALLEL = 200, 4


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 100])
def test_every_object_answered_with_success_is_there_after_a_kill(tmp_path, after):
    folder = tmp_path / "workspace"
    workspace = Workspace.open(folder)
    with workspace.writing() as connection:
        add_peer(connection, Peer(ae_title="TESTER", networks=("127.0.0.1",), space=SPACE, may=frozenset(May)))
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(folder)], stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline())
    us = Peer(ae_title="BINGCHENG", networks=(), space=SPACE, may=frozenset(), host="127.0.0.1", port=port)
    sent = {f"1.2.3.1.1.{n}": data_set_of(file_of(image(number=n, size=128))) for n in range(1, COUNT + 1)}
    answered, enough = set(), threading.Event()

    def store(uids):
        association = opened(Caller(ae_title="TESTER"), us, [(CTImageStorage, [EXPLICIT])])
        try:
            for place, uid in enumerate(uids):
                command = {
                    "CommandField": C_STORE,
                    "MessageID": place + 1,
                    "Priority": 0,
                    "AffectedSOPClassUID": CTImageStorage,
                    "AffectedSOPInstanceUID": uid,
                }
                association.send(association.contexts[1], command, sent[uid])
                assert number(association.answer_to(place + 1).command, "Status") == 0
                answered.add(uid)
                if len(answered) >= after:
                    enough.set()
        except Ended:
            pass
        finally:
            association.wire.close()

    threads = [threading.Thread(target=store, args=(list(sent)[part::PARALLEL],)) for part in range(PARALLEL)]
    for thread in threads:
        thread.start()
    assert enough.wait(30)
    os.kill(server.pid, signal.SIGKILL)
    server.wait(10)
    server.stdout.close()
    for thread in threads:
        thread.join(30)
    assert after <= len(answered) < COUNT

    objects = Objects.open(workspace)
    instances = {one.sop_uid: one for one in objects.instances_of((SPACE,), "1.2.3.1", None)}
    assert answered <= instances.keys()
    for uid, instance in instances.items():  # also those whose answer was still under way: none is half there
        with objects.open_bytes(instance) as stream:
            assert data_set_of(stream.read()) == sent[uid]
    (study,) = objects.studies(Query(), (SPACE,))
    assert study.attributes["NumberOfStudyRelatedInstances"] == len(instances)
    assert list((folder / "arriving").iterdir()) == []
    objects.close()
    workspace.close()


@pytest.mark.slow
def test_a_scanner_is_told_what_it_was_promised_though_the_program_was_killed(tmp_path, calling, eventually):
    """It asked while it could not be called; the program is killed after it said that it will be told."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "workspace"
    workspace = Workspace.open(folder)
    objects = Objects.open(workspace)
    objects.receive(file_of(image()), space=SPACE, origin=HERE)
    scanner = Peer(
        ae_title="TESTER",
        networks=("127.0.0.1",),
        space=SPACE,
        may=frozenset((May.COMMIT,)),
        host="127.0.0.1",
        port=port,
    )
    with workspace.writing() as connection:
        add_peer(connection, scanner)
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(folder)], stdout=subprocess.PIPE, text=True)
    with calling(int(server.stdout.readline()), [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, request(KEPT)) == 0x0000
    os.kill(server.pid, signal.SIGKILL)
    server.wait(10)
    server.stdout.close()
    entity, reports = AE(ae_title="TESTER"), Reports()
    entity.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    listening = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=reports.handlers)
    try:
        with Listener(workspace, objects, port=0):
            assert reports.came.wait(20)
            eventually(lambda: not entity.active_associations)
    finally:
        listening.shutdown()
    ((event, verdict),) = reports.told
    assert (event, verdict.TransactionUID) == (1, "1.2.77")
    objects.close()
    workspace.close()
