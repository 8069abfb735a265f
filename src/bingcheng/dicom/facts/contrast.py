"""The contrast agent and its injection: at the top of classic images, with the agent in enhanced ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bingcheng.dicom.facts.placeholders import recorded
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import nearest, time_of

LONGEST_WAIT = timedelta(hours=6)
"""No image of an injection is made later; a time farther away (00:00:00 mostly) is a dummy or of another exam."""

NO_AGENT = frozenset({"no", "nein", "n", "without", "ohne", "否", "不用"})
"""Words that consoles write into the agent's name where none was entered; "none" and its like are placeholders.
Whether an agent was given, such a word does not tell: it stands in dynamics that show one."""


def contrast(facts: SeriesFacts) -> dict[str, Any]:
    """The facts about the contrast agent, by name; notes times that can't be."""
    started, stopped = (_moment(facts, keyword) for keyword in ("ContrastBolusStartTime", "ContrastBolusStopTime"))
    if started is not None and stopped is not None and stopped < started:
        facts.note("contrast-stop-before-start", f"{(started - stopped).total_seconds():.0f} s")
        stopped = None
    return {
        "contrast_agent": _agent(facts.header),
        "contrast_started_at": started,
        "contrast_stopped_at": stopped,
        "contrast_volume_ml": _number(facts.header, "ContrastBolusVolume"),
        "contrast_flow_ml_per_s": _number(facts.header, "ContrastFlowRate"),
        "contrast_concentration_mg_per_ml": _number(facts.header, "ContrastBolusIngredientConcentration"),
    }


def _agent(header: Tags) -> str | None:
    coded = header.code("ContrastBolusAgentSequence")
    stated = recorded(header.text("ContrastBolusAgent"))
    if stated is not None and stated.casefold() in NO_AGENT:
        stated = None
    return stated or (coded.meaning if coded is not None else None)


def _places(header: Tags) -> tuple[Tags, Tags, Tags]:
    """The object itself, its contrast agent, and the first phase of the agent's injection.

    PS3.3 C.7.6.4b; C.7.6.4.1 lists the flow rates of an injection in several phases in order.
    """
    agent = header.item("ContrastBolusAgentSequence")
    return header, agent, agent.item("ContrastAdministrationProfileSequence")


def _number(header: Tags, keyword: str) -> float | None:
    found = (place.positive(keyword) for place in _places(header))
    return next((number for number in found if number is not None), None)


def _moment(facts: SeriesFacts, keyword: str) -> datetime | None:
    """A time of the injection, which has no date of its own: the one nearest to the start of the series."""
    written = (place.text(keyword) for place in _places(facts.header))
    time = time_of(next((text for text in written if text is not None), None))
    if time is None or facts.started_at is None:
        return None
    moment = nearest(time, facts.started_at)
    if abs(moment - facts.started_at) <= LONGEST_WAIT:
        return moment
    facts.note("contrast-time-implausible", f"{(facts.started_at - moment) / timedelta(hours=1):.1f} h before the scan")
    return None
