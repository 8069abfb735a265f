"""What the page calls verdicts, outcomes and levels, and the mark that stands beside each word."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.compare.change import Verdict
from bingcheng.compare.lesions import LesionChange
from bingcheng.core.finding import Outcome, Trust
from bingcheng.core.wording import Text, text

VERDICT_WORDS: Mapping[Verdict, Text] = MappingProxyType(
    {
        Verdict.REAL: text("Real change"),
        Verdict.WITHIN_REPEATABILITY: text("Within repeatability"),
        Verdict.NOT_COMPARABLE: text("Not comparable"),
        Verdict.UNKNOWN: text("Can't be judged"),
    }
)
VERDICT_MEANINGS: Mapping[Verdict, Text] = MappingProxyType(
    {
        Verdict.REAL: text(
            "The exams are comparable and the change is larger than repetition and measurement explain."
        ),
        Verdict.WITHIN_REPEATABILITY: text("A change this small also appears when nothing has changed."),
        Verdict.NOT_COMPARABLE: text("The exams were made too differently: the change may come from the scanner."),
        Verdict.UNKNOWN: text("A value or a fact about how the exams were made is missing."),
    }
)
OUTCOME_WORDS: Mapping[Outcome, Text] = MappingProxyType(
    {
        Outcome.PASS: text("Met"),
        Outcome.FAIL: text("Not met"),
        Outcome.UNKNOWN: text("Open"),
        Outcome.NOT_APPLICABLE: text("Does not apply"),
        Outcome.WAIVED: text("Waived"),
    }
)
EXAM_WORDS: Mapping[Outcome | None, Text] = MappingProxyType(
    {
        Outcome.PASS: text("As agreed"),
        Outcome.FAIL: text("Breaks the protocol"),
        Outcome.UNKNOWN: text("Requirement open"),
        None: text("Not judged"),
    }
)
TRUST_WORDS: Mapping[Trust, Text] = MappingProxyType(
    {
        Trust.VERIFIED: text("The limit was checked in its source."),
        Trust.QUOTED: text("The limit is quoted from its source."),
        Trust.ABSTRACT: text("The limit was read in an abstract only."),
        Trust.SECONDARY: text("The limit was read in a publication that cites the source."),
        Trust.UNVERIFIED: text("The limit has not been checked in its source; it never decides."),
    }
)
STYLES: Mapping[Outcome | Verdict | None, str] = MappingProxyType(
    {
        Outcome.PASS: "pass",
        Outcome.FAIL: "fail",
        Outcome.UNKNOWN: "open",
        Outcome.NOT_APPLICABLE: "none",
        Outcome.WAIVED: "none",
        None: "none",
        Verdict.REAL: "real",
        Verdict.WITHIN_REPEATABILITY: "within",
        Verdict.NOT_COMPARABLE: "apart",
        Verdict.UNKNOWN: "open",
    }
)


def style(judgement: Outcome | Verdict | None) -> str:
    """The CSS class of a judgement; it is also the name of its icon."""
    return STYLES[judgement]


def verdict_icon(change: LesionChange) -> str:
    """The icon of a lesion's verdict: for a real change, which way it went."""
    if change.verdict is Verdict.REAL and change.lead is not None and change.lead.difference:
        return "up" if change.lead.difference > 0 else "down"
    return style(change.verdict)
