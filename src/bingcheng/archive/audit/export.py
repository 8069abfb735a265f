"""The audit trail as others read it: as DICOM audit messages (PS3.15 A.5.1, which extends RFC 3881), as JSON lines."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from xml.sax.saxutils import quoteattr

from bingcheng.archive.audit.event import AuditEvent
from bingcheng.archive.audit.event_code import MEANINGS
from bingcheng.archive.audit.trail import Recorded
from bingcheng.archive.codec import plain

OURS = "99BINGCHENG"
"""Designator of codes that no standard defines (PS3.3, 8.2: private schemes begin with 99)."""
WEB_SERVER = "3"
"""Audit Source Type Code (PS3.15 A.5.1.2.1)."""
PERSON, SYSTEM_OBJECT = "1", "2"
PATIENT, REPORT, RESOURCE = "1", "3", "4"
"""Participant Object Type Code Role (PS3.15 A.5.1.2.2); a study is a report, as A.5.3 says of each event about one."""
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 can't hold, in any form."""


def as_json_lines(recorded: Iterable[Recorded]) -> Iterator[bytes]:
    """One event a line, with its number and seal."""
    for one in recorded:
        line = {"number": one.number, **plain(one.event), "digest": one.digest}
        yield json.dumps(line, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def as_xml(recorded: Iterable[Recorded], *, source: str) -> Iterator[bytes]:
    """One document with an ``AuditMessage`` for each event.

    Parameters
    ----------
    source : AuditSourceID, the name of this server in the trail.
    """
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<AuditMessages>\n'
    for one in recorded:
        yield message(one.event, source=source).encode() + b"\n"
    yield b"</AuditMessages>\n"


def message(event: AuditEvent, *, source: str) -> str:
    """One event as an ``AuditMessage`` element."""
    inner = [
        _identification(event),
        _participant(event),
        _element(
            "AuditSourceIdentification",
            {"AuditSourceID": source},
            [_element("AuditSourceTypeCode", {"csd-code": WEB_SERVER})],
        ),
    ]
    inner.extend(_objects(event))
    return _element("AuditMessage", {}, inner)


def _identification(event: AuditEvent) -> str:
    attributes = {
        "EventActionCode": event.action.value,
        "EventDateTime": f"{event.at.isoformat(timespec='milliseconds')}Z",
        "EventOutcomeIndicator": str(int(event.outcome)),
    }
    inner = [_code("EventID", event.code.value, "DCM", MEANINGS[event.code].template)]
    if event.type_code is not None:
        inner.append(_code("EventTypeCode", event.type_code.value, "DCM", MEANINGS[event.type_code].template))
    inner.append(_code("EventTypeCode", event.what, OURS, event.what))
    if event.reason:
        inner.append(f"<EventOutcomeDescription>{_escaped(event.reason)}</EventOutcomeDescription>")
    return _element("EventIdentification", attributes, inner)


def _participant(event: AuditEvent) -> str:
    attributes = {"UserID": event.login or "nobody", "UserIsRequestor": "true"}
    if event.person is not None:
        attributes["AlternativeUserID"] = str(event.person)
    if event.address:
        attributes |= {"NetworkAccessPointID": event.address, "NetworkAccessPointTypeCode": "2"}
    return _element("ActiveParticipant", attributes, [_code("RoleIDCode", role, OURS, role) for role in event.roles])


def _objects(event: AuditEvent) -> Iterator[str]:
    for uid in event.studies:
        code = _code("ParticipantObjectIDTypeCode", "110180", "DCM", "Study Instance UID")
        yield _object(uid, SYSTEM_OBJECT, REPORT, code, {"count": str(event.count)} if event.count != 1 else {})
    if event.patient:
        yield _object(
            event.patient, PERSON, PATIENT, _code("ParticipantObjectIDTypeCode", "2", "RFC-3881", "Patient Number")
        )
    others = ([f"case/{event.case}"] if event.case is not None else []) + ([event.subject] if event.subject else [])
    for identifier in others:
        yield _object(
            identifier, SYSTEM_OBJECT, RESOURCE, _code("ParticipantObjectIDTypeCode", "12", "RFC-3881", "URI")
        )


def _object(identifier: str, kind: str, role: str, code: str, details: Mapping[str, str] | None = None) -> str:
    attributes = {
        "ParticipantObjectID": identifier,
        "ParticipantObjectTypeCode": kind,
        "ParticipantObjectTypeCodeRole": role,
    }
    # The schema wants a name or a query; a name would be the patient's, so that it stays empty.
    inner = [code, "<ParticipantObjectName></ParticipantObjectName>"]
    for name, value in (details or {}).items():
        inner.append(_element("ParticipantObjectDetail", {"type": name, "value": b64encode(value.encode()).decode()}))
    return _element("ParticipantObjectIdentification", attributes, inner)


def _code(name: str, code: str, scheme: str, meaning: str) -> str:
    return _element(name, {"csd-code": code, "codeSystemName": scheme, "originalText": meaning})


def _element(name: str, attributes: Mapping[str, str], inner: Iterable[str] = ()) -> str:
    written = "".join(f" {key}={quoteattr(_speakable(value))}" for key, value in attributes.items())
    content = "".join(inner)
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def _escaped(words: str) -> str:
    return quoteattr(_speakable(words))[1:-1]


def _speakable(words: str) -> str:
    return _UNSPEAKABLE.sub("\N{REPLACEMENT CHARACTER}", words)
