"""Who did what to what, when: the audit trail in the form of DICOM PS3.15 A.5."""

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.trail import record

__all__ = ["AuditEvent", "EventAction", "EventCode", "EventOutcome", "EventType", "record"]
