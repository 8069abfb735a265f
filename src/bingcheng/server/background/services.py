"""What runs beside the pages while the server does: the DICOM service, and the assessing of what is received."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.dimse.events import DimseEvent, EventKind
from bingcheng.archive.dimse.limits import Limits
from bingcheng.archive.dimse.listener import Listener
from bingcheng.archive.dimse.problems import WRONG_CERTIFICATE
from bingcheng.archive.dimse.tls import acceptor
from bingcheng.archive.ownership import HOSPITALS
from bingcheng.core.errors import InputError
from bingcheng.server.background.calling import Calling
from bingcheng.server.background.runner import Background
from bingcheng.server.pairing.case_room import package_room
from bingcheng.server.pairing.courier import Courier
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site

_CODES: Mapping[EventKind, tuple[EventCode, EventType | None, EventAction]] = MappingProxyType(
    {
        EventKind.REJECTED: (EventCode.SECURITY_ALERT, EventType.NODE_AUTHENTICATION, EventAction.EXECUTE),
        EventKind.ABORTED: (EventCode.NETWORK_ENTRY, EventType.DETACH, EventAction.EXECUTE),
        EventKind.ECHOED: (EventCode.NETWORK_ENTRY, EventType.ATTACH, EventAction.EXECUTE),
        EventKind.STORED: (EventCode.INSTANCES_TRANSFERRED, None, EventAction.CREATE),
        EventKind.QUERIED: (EventCode.QUERY, None, EventAction.EXECUTE),
        EventKind.RETRIEVING: (EventCode.BEGIN_TRANSFERRING_INSTANCES, None, EventAction.READ),
        EventKind.RETRIEVED: (EventCode.INSTANCES_TRANSFERRED, None, EventAction.READ),
        EventKind.COMMITTED: (EventCode.INSTANCES_ACCESSED, None, EventAction.READ),
    }
)

_DONE = frozenset({EventKind.STORED, EventKind.RETRIEVED, EventKind.COMMITTED})
"""Events of objects that came or went already: they are recorded later if they can't be now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What pages wake when they have asked for something.

    Parameters
    ----------
    background : assesses what was received.
    courier : carries cases and numbers between installations.
    """

    background: Background
    courier: Courier


@contextmanager
def services(site: Site) -> Iterator[Services]:
    """Everything beside the pages, for as long as the block lasts.

    Raises
    ------
    InputError
        ``archive.port-taken``, ``archive.wrong-ae-title``, ``archive.wrong-certificate``.
    """
    settings = site.settings
    background = Background(site, workers=settings.workers, brings_in=settings.bring_in)
    listener = None
    if settings.dicom_port is not None:
        listener = Listener(
            site.workspace,
            site.objects,
            ae_title=settings.dicom_ae_title,
            host=settings.dicom_host,
            port=settings.dicom_port,
            tls=_tls(settings),
            caller=Calling.from_settings(settings).caller(),
            limits=Limits(
                associations=settings.dicom_associations,
                associations_of_peer=settings.dicom_associations_of_peer,
                object_bytes=int(settings.dicom_largest_object_gb * (1 << 30)),
            ),
            private=settings.dicom_private,
            on_event=lambda event: _record(site, event),
        )
        listener.start()
    try:
        background.start()
        courier = Courier(site, package_room())
        courier.start()
        try:
            yield Services(background=background, courier=courier)
        finally:
            courier.stop()
            background.stop()
    finally:
        if listener is not None:
            listener.stop()


def _tls(settings: Settings) -> ssl.SSLContext | None:
    certificate, key = settings.dicom_tls_certificate, settings.dicom_tls_key
    if (certificate is None) != (key is None):
        raise InputError(WRONG_CERTIFICATE, error="one of the two is missing")
    return None if certificate is None or key is None else acceptor(certificate, key, settings.dicom_tls_trusted)


def _record(site: Site, event: DimseEvent) -> None:
    code, type_code, action = _CODES[event.kind]
    space = event.space or ""
    hospital = int(space.removeprefix(HOSPITALS)) if space.startswith(HOSPITALS) else None
    told = AuditEvent(
        code=code,
        type_code=type_code,
        action=action,
        outcome=EventOutcome.SUCCESS if event.succeeded else EventOutcome.MINOR_FAILURE,
        at=event.at,
        what=f"dimse-{event.kind.value}",
        login=event.ae_title,
        hospital=hospital,
        actor_hospital=hospital,
        address=event.address,
        studies=event.study_uids,
        subject=event.destination or "",
        count=max(event.completed + event.failed, 1),
        reason="" if event.succeeded else event.code,
    )
    site.owed.write(site.workspace, [told], happened=event.kind in _DONE and event.completed > 0)
