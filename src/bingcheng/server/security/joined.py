"""The event of a request in the transaction of what it changes: both are written, or neither."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.requests import Request

from bingcheng.archive.audit.trail import record
from bingcheng.archive.objects.index import Arrival
from bingcheng.server.security.recorder import Recorder, event_of
from bingcheng.server.security.traced import saw_studies, traced


class Joined:
    """The event of a request that stores one object, written beside the object's row.

    That is one commit less for each object that is sent alone, and no object can be kept whose event was lost.

    Parameters
    ----------
    status : what the request will be answered if the object is stored.
    """

    def __init__(self, recorder: Recorder, request: Request, status: int) -> None:
        self._recorder = recorder
        self._request = request
        self._status = status

    def __call__(self, connection: Connection, arrival: Arrival) -> None:
        """Write it; called again if the transaction had to be."""
        saw_studies(self._request, (arrival.header.study_uid,))
        record(connection, event_of(traced(self._request), self._request, self._status, self._recorder.site))

    def committed(self) -> None:
        """The object was stored, and the event with it."""
        traced(self._request).recorded = True
        self._recorder.was_added()
