"""Messages that come in a context that was agreed on for something else."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage
from pynetdicom.dsutils import encode
from tests.archive.dimse.making import ECHO, IMPLICIT, SPACE

from bingcheng.archive.dimse.calling import Caller, first_context, opened
from bingcheng.archive.dimse.commands import C_ECHO, C_FIND, C_STORE, number
from bingcheng.archive.dimse.negotiation import FIND, GET, STORAGE_COMMITMENT, STUDY_ROOT
from bingcheng.archive.dimse.peers import Peer
from bingcheng.archive.objects.query import Query

UNKNOWN_OPERATION = 0x0211


def asked(site, service, command, data=None):
    """The status that a message is answered with in a context of `service`."""
    peer = Peer(ae_title="BINGCHENG", networks=(), space=SPACE, may=frozenset(), host="127.0.0.1", port=site.port)
    association = opened(Caller(ae_title="TESTER"), peer, [(service, [IMPLICIT])])
    association.send(first_context(association), {"MessageID": 1, **command}, data)
    status = number(association.answer_to(1).command, "Status")
    association.release()
    return status


@pytest.mark.parametrize("service", [ECHO, STUDY_ROOT + FIND, STUDY_ROOT + GET, STORAGE_COMMITMENT])
def test_nothing_is_stored_that_says_to_be_of_the_class_of_another_service(listening, service):
    site = listening()
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = service, "1.2.3.4"
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    command = {"CommandField": C_STORE, "AffectedSOPClassUID": service, "AffectedSOPInstanceUID": "1.2.3.4"}
    assert asked(site, service, command, encode(made, True, True)) == UNKNOWN_OPERATION
    assert not site.objects.studies(Query(), (SPACE,))


@pytest.mark.parametrize(("kind", "service"), [(C_ECHO, CTImageStorage), (C_FIND, ECHO), (C_ECHO, STUDY_ROOT + FIND)])
def test_what_a_context_is_not_for_is_no_operation_of_it(listening, kind, service):
    assert asked(listening(), service, {"CommandField": kind, "AffectedSOPClassUID": service}) == UNKNOWN_OPERATION
