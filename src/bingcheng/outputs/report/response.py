"""RECIST 1.1 as calculated over each patient's exams, as the page shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from bingcheng.compare.response import Response
from bingcheng.core.wording import Text
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.follow_up.response_sheet import ResponseSheet, response_sheet
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.sum_chart import STYLES, sum_chart

ICONS: Mapping[Response, str] = MappingProxyType(
    {
        Response.COMPLETE: "pass",
        Response.PARTIAL: "down",
        Response.STABLE: "within",
        Response.NEITHER: "within",
        Response.PROGRESSIVE: "real",
        Response.NOT_EVALUABLE: "open",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseBlock:
    """One patient: the sheet, its chart, and where each of its exams is shown."""

    anchor: str
    sheet: ResponseSheet
    chart: Markup | None
    addresses: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSection:
    """All patients with a response, how many points wait for a reader, and why others have none.

    Parameters
    ----------
    without : each reason, with how many patients it keeps from a response.
    """

    blocks: tuple[ResponseBlock, ...]
    waiting: int
    without: tuple[tuple[Text, int], ...]

    def __bool__(self) -> bool:
        return bool(self.blocks or self.without)


def response_section(assessment: Assessment, language: Language, *, exam_path: str | None = None) -> ResponseSection:
    """What is shown of an assessment.

    Parameters
    ----------
    exam_path : where an exam's page is, with ``{uid}`` in it; None where exams stand on the same page.
    """
    exams = {exam.uid: exam for exam in assessment.exams}
    addresses = {
        exam.uid: f"#exam-{place}" if exam_path is None else exam_path.format(uid=exam.uid)
        for place, exam in enumerate(assessment.exams)
    }
    blocks = tuple(
        ResponseBlock(
            anchor=f"response-{place}",
            sheet=response_sheet(one, exams, language),
            chart=sum_chart(one, exams, language),
            addresses=addresses,
        )
        for place, one in enumerate(assessment.responses)
    )
    return ResponseSection(
        blocks=blocks,
        waiting=sum(block.sheet.waiting for block in blocks),
        without=_counted(one.reason for one in assessment.without_response),
    )


def template_names() -> dict[str, object]:
    """What the templates need to name and colour answers."""
    return {"response_styles": STYLES, "response_icons": ICONS}


def _counted(reasons: Iterable[Text]) -> tuple[tuple[Text, int], ...]:
    counts: dict[Text, int] = defaultdict(int)
    for reason in reasons:
        counts[reason] += 1
    return tuple(counts.items())
