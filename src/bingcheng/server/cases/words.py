"""What states and choices of cases are called."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.archive.cases.attached.taken import Taken
from bingcheng.archive.cases.case import CaseStatus
from bingcheng.archive.cases.grants import Audience
from bingcheng.archive.cases.methods import MethodKind
from bingcheng.archive.cases.notices import NoticeKind
from bingcheng.archive.cases.opinions import Confidence, OpinionState
from bingcheng.core.finding import Outcome
from bingcheng.core.measure import ReferenceKind
from bingcheng.core.wording import Text, text

STATUS_WORDS: Mapping[CaseStatus, Text] = MappingProxyType(
    {
        CaseStatus.DRAFT: text("Draft"),
        CaseStatus.PUBLISHED: text("Published"),
        CaseStatus.WITHDRAWN: text("Withdrawn"),
    }
)
AUDIENCE_WORDS: Mapping[Audience, Text] = MappingProxyType(
    {
        Audience.HOSPITAL: text("A hospital"),
        Audience.GROUP: text("A group of hospitals"),
        Audience.PROVINCE: text("The whole province"),
    }
)
OPINION_WORDS: Mapping[OpinionState, Text] = MappingProxyType(
    {
        OpinionState.OPEN: text("Waits for an answer"),
        OpinionState.ACCEPTED: text("Accepted"),
        OpinionState.ANSWERED: text("Answered"),
        OpinionState.DECLINED: text("Declined"),
        OpinionState.WITHDRAWN: text("Withdrawn"),
        OpinionState.OVERDUE: text("Overdue"),
    }
)
CONFIDENCE_WORDS: Mapping[Confidence, Text] = MappingProxyType(
    {
        Confidence.LOW: text("low confidence"),
        Confidence.MODERATE: text("moderate confidence"),
        Confidence.HIGH: text("high confidence"),
    }
)
NOTICE_WORDS: Mapping[NoticeKind, Text] = MappingProxyType(
    {
        NoticeKind.MENTION: text("Somebody mentions me"),
        NoticeKind.REPLY: text("Somebody answers me"),
        NoticeKind.COMMENT: text("Somebody comments on a case of mine"),
        NoticeKind.GRANT: text("Something is given to my hospital"),
        NoticeKind.MODERATION: text("A comment is reported to me as a moderator"),
        NoticeKind.OPINION: text("Second opinions"),
    }
)
TAKEN_WORDS: Mapping[Taken, Text] = MappingProxyType(
    {
        Taken.CAMERA: text("what the camera wrote"),
        Taken.PLACE: text("where it was made"),
        Taken.DESCRIPTION: text("title, author, program and times"),
        Taken.WORDS: text("words beside the picture"),
        Taken.THUMBNAIL: text("a small picture"),
        Taken.PROFILE: text("names in the colour profile"),
        Taken.FILES: text("files within it"),
        Taken.SCRIPTS: text("programs"),
        Taken.LINKS: text("links and bookmarks"),
        Taken.HIDDEN: text("parts that can't be seen"),
    }
)
"""What was taken out of an attached file."""
METHOD_WORDS: Mapping[MethodKind, Text] = MappingProxyType(
    {MethodKind.PROTOCOL: text("Protocol"), MethodKind.METHOD: text("Method")}
)
CHANGE_WORDS: Mapping[str, Text] = MappingProxyType(
    {"added": text("added"), "removed": text("removed"), "changed": text("changed"), "renamed": text("renamed")}
)
"""By the values of `bingcheng.protocol.authoring.diff.Change`; the parts below by those of its `Part`."""
PART_WORDS: Mapping[str, Text] = MappingProxyType(
    {"protocol": text("protocol"), "source": text("source"), "role": text("role"), "criterion": text("criterion")}
)
CONFORM_WORDS: Mapping[Outcome, Text] = MappingProxyType(
    {Outcome.PASS: text("conform"), Outcome.FAIL: text("not conform"), Outcome.UNKNOWN: text("not known")}
)
EVIDENCE_WORDS: Mapping[Outcome, Text] = MappingProxyType(
    {Outcome.PASS: text("found again"), Outcome.FAIL: text("not found again"), Outcome.UNKNOWN: text("not known")}
)
KIND_WORDS: Mapping[ReferenceKind, Text] = MappingProxyType(
    {
        ReferenceKind.ANALYTIC: text("Known exactly, by construction"),
        ReferenceKind.CONSENSUS: text("Agreed on by many groups"),
        ReferenceKind.OTHER_TOOL: text("Another program"),
        ReferenceKind.MEASURED: text("Measured by other means"),
    }
)
"""Who says what the right value is."""
LICENCES: tuple[tuple[str, Text], ...] = (
    ("platform", text("For reading on this platform alone")),
    ("teaching", text("For teaching within the hospitals that it is given to")),
    ("CC-BY-NC-4.0", text("CC BY-NC 4.0: for others too, with the author's name, not for profit")),
)
PROFILES: tuple[tuple[str, Text], ...] = (
    ("teaching", text("Teaching: dates moved, device and free text removed, faces held back")),
    ("research-follow-up", text("Research with follow-up: dates moved, device and patient characteristics kept")),
)
