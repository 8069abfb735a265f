"""Codes of audit events (PS3.15 A.5.3; PS3.16 CID 400 Audit Event ID, CID 401 Audit Event Type Code)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bingcheng.core.wording import Text, text


class EventCode(StrEnum):
    """What kind of event it is (CID 400)."""

    APPLICATION_ACTIVITY = "110100"
    AUDIT_LOG_USED = "110101"
    BEGIN_TRANSFERRING_INSTANCES = "110102"
    INSTANCES_ACCESSED = "110103"
    INSTANCES_TRANSFERRED = "110104"
    STUDY_DELETED = "110105"
    EXPORT = "110106"
    IMPORT = "110107"
    NETWORK_ENTRY = "110108"
    ORDER_RECORD = "110109"
    PATIENT_RECORD = "110110"
    PROCEDURE_RECORD = "110111"
    QUERY = "110112"
    SECURITY_ALERT = "110113"
    USER_AUTHENTICATION = "110114"


class EventType(StrEnum):
    """What happened exactly, where the kind leaves it open (CID 401)."""

    APPLICATION_START = "110120"
    APPLICATION_STOP = "110121"
    LOGIN = "110122"
    LOGOUT = "110123"
    ATTACH = "110124"
    DETACH = "110125"
    NODE_AUTHENTICATION = "110126"
    EMERGENCY_OVERRIDE_STARTED = "110127"
    NETWORK_CONFIGURATION = "110128"
    SECURITY_CONFIGURATION = "110129"
    HARDWARE_CONFIGURATION = "110130"
    SOFTWARE_CONFIGURATION = "110131"
    USE_OF_RESTRICTED_FUNCTION = "110132"
    AUDIT_RECORDING_STOPPED = "110133"
    AUDIT_RECORDING_STARTED = "110134"
    OBJECT_SECURITY_ATTRIBUTES_CHANGED = "110135"
    SECURITY_ROLES_CHANGED = "110136"
    USER_SECURITY_ATTRIBUTES_CHANGED = "110137"


MEANINGS: Mapping[EventCode | EventType, Text] = MappingProxyType(
    {
        EventCode.APPLICATION_ACTIVITY: text("Application Activity"),
        EventCode.AUDIT_LOG_USED: text("Audit Log Used"),
        EventCode.BEGIN_TRANSFERRING_INSTANCES: text("Begin Transferring DICOM Instances"),
        EventCode.INSTANCES_ACCESSED: text("DICOM Instances Accessed"),
        EventCode.INSTANCES_TRANSFERRED: text("DICOM Instances Transferred"),
        EventCode.STUDY_DELETED: text("DICOM Study Deleted"),
        EventCode.EXPORT: text("Export"),
        EventCode.IMPORT: text("Import"),
        EventCode.NETWORK_ENTRY: text("Network Entry"),
        EventCode.ORDER_RECORD: text("Order Record"),
        EventCode.PATIENT_RECORD: text("Patient Record"),
        EventCode.PROCEDURE_RECORD: text("Procedure Record"),
        EventCode.QUERY: text("Query"),
        EventCode.SECURITY_ALERT: text("Security Alert"),
        EventCode.USER_AUTHENTICATION: text("User Authentication"),
        EventType.APPLICATION_START: text("Application Start"),
        EventType.APPLICATION_STOP: text("Application Stop"),
        EventType.LOGIN: text("Login"),
        EventType.LOGOUT: text("Logout"),
        EventType.ATTACH: text("Attach"),
        EventType.DETACH: text("Detach"),
        EventType.NODE_AUTHENTICATION: text("Node Authentication"),
        EventType.EMERGENCY_OVERRIDE_STARTED: text("Emergency Override Started"),
        EventType.NETWORK_CONFIGURATION: text("Network Configuration"),
        EventType.SECURITY_CONFIGURATION: text("Security Configuration"),
        EventType.HARDWARE_CONFIGURATION: text("Hardware Configuration"),
        EventType.SOFTWARE_CONFIGURATION: text("Software Configuration"),
        EventType.USE_OF_RESTRICTED_FUNCTION: text("Use of Restricted Function"),
        EventType.AUDIT_RECORDING_STOPPED: text("Audit Recording Stopped"),
        EventType.AUDIT_RECORDING_STARTED: text("Audit Recording Started"),
        EventType.OBJECT_SECURITY_ATTRIBUTES_CHANGED: text("Object Security Attributes Changed"),
        EventType.SECURITY_ROLES_CHANGED: text("Security Roles Changed"),
        EventType.USER_SECURITY_ATTRIBUTES_CHANGED: text("User Security Attributes Changed"),
    }
)
"""The meaning of each code, as PS3.16 Annex D defines it; the template is the standard's own wording."""
