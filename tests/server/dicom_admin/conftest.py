"""Objects of the North Hospital, and a DICOM application to call."""

from __future__ import annotations

import pytest
from pydicom.uid import CTImageStorage
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification


@pytest.fixture
def archive():
    """Starts a pynetdicom provider called ARCHIVE; gives its port, and what it was sent.

    It answers with a status, or with what a function makes of all that it was sent so far.
    """
    started = []

    def start(status=0x0000):
        entity = AE(ae_title="ARCHIVE")
        entity.add_supported_context(Verification)
        entity.add_supported_context(CTImageStorage)
        entity.require_called_aet = True
        taken = []

        def store(event):
            taken.append((event.assoc.requestor.ae_title, str(event.request.AffectedSOPInstanceUID)))
            return status(taken) if callable(status) else status

        server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
        started.append(server)
        return server.socket.getsockname()[1], taken

    yield start
    for server in started:
        server.shutdown()
