"""What can be done on the platform: one list for routes, pages, tokens and the audit trail."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """One thing that a person or a program asks for."""

    READ_EXAM = "read-exam"
    """See exams with the identity of the patient: lists, pages, pixels, reports."""
    JUDGE_EXAM = "judge-exam"
    """State, correct and measure: waivers, answers, outlines; assess again."""
    LINK_LESIONS = "link-lesions"
    """Decide which lesion of one exam is which of another: what the verdict on a change rests on."""
    SEND_OBJECTS = "send-objects"
    DELETE_OBJECTS = "delete-objects"
    SETTLE_CONFLICTS = "settle-conflicts"
    """Decide about objects that came with a known UID and other bytes."""
    BREAK_GLASS = "break-glass"
    """Open one exam in an emergency, for an hour, with a reason."""
    READ_NUMBERS = "read-numbers"
    """See aggregates of a hospital: conformance, quality, doses; no patient, not even by pseudonym."""
    COMPARE_HOSPITALS = "compare-hospitals"
    """See the aggregates of all hospitals side by side."""

    READ_CASE = "read-case"
    PUBLISH_CASE = "publish-case"
    """Prepare, de-identify, confirm and publish a case."""
    GRANT_CASE = "grant-case"
    """Grant a case to others, or withdraw it."""
    COMMENT = "comment"
    MODERATE = "moderate"
    ASK_OPINION = "ask-opinion"
    SHARE_PROTOCOL = "share-protocol"

    OWN_ACCOUNT = "own-account"
    """See and change one's own account, tokens, sessions and notices."""
    MANAGE_PEOPLE = "manage-people"
    MANAGE_HOSPITAL = "manage-hospital"
    """Change the settings of one hospital: names, peers that may send."""
    MANAGE_HOSPITALS = "manage-hospitals"
    """Make hospitals and groups of them."""
    PAIR = "pair"
    """Connect this installation with another one."""
    READ_AUDIT = "read-audit"
    VERIFY_AUDIT = "verify-audit"
