"""The assessment as one JSON object for other programs: same content as the report, without pictures.

Sentences are in the reader's language beside their stable codes; programs go by the codes. The layout is versioned by
``schema``: fields may be added within a version, never renamed or removed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bingcheng.compare.change import Change
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.compare.lesions import LesionChange
from bingcheng.core.finding import Finding
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Text
from bingcheng.outputs.assessment import Assessment, ExamView, LesionView, SeriesView, SiteView
from bingcheng.outputs.dose_json import dose_as_json
from bingcheng.outputs.follow_up.response_form import response_as_json
from bingcheng.outputs.follow_up.stored_form import link_as_json, matched_as_json
from bingcheng.outputs.language import Language
from bingcheng.outputs.radiomics.stored_form import cohort_as_json, features_as_json
from bingcheng.outputs.summary import headline, protocol_of

SCHEMA = "bingcheng-assessment/1"
Json = dict[str, Any]
Say = Callable[[Text | str], str]


def as_json(assessment: Assessment, language: Language) -> Json:
    """The whole assessment in JSON's own types."""
    say = language.say
    return {
        "schema": SCHEMA,
        "version": assessment.version,
        "identified": assessment.identified,
        "headline": [say(sentence) for sentence in headline(assessment)],
        "sites": [_site(site, say) for site in assessment.sites],
        "exams": [_exam(exam, say) for exam in assessment.exams],
        "changes": [_lesion_change(change, say) for change in assessment.changes],
        "follow_up": [matched_as_json(one, say) for one in assessment.follow_up],
        "responses": [response_as_json(one, say) for one in assessment.responses],
        "without_response": [
            {"patient": one.patient, "reason": say(one.reason)} for one in assessment.without_response
        ],
        "comparison": [_row(row, say) for row in assessment.comparison],
        "dose": None if assessment.dose is None else dose_as_json(assessment.dose, say),
        "radiomics": [cohort_as_json(cohort, say) for cohort in assessment.radiomics],
        "refusals": [_refusal(refusal, say) for refusal in assessment.refusals],
    }


def _maybe(sentence: Text | None, say: Say) -> str | None:
    return None if sentence is None else say(sentence)


def _site(site: SiteView, say: Say) -> Json:
    return {
        "site": site.site,
        "devices": list(site.devices),
        "exam_count": site.exam_count,
        "outcomes": dict(site.outcomes),
        "top_failures": [{"title": say(title), "count": count} for title, count in site.top_failures],
    }


def _exam(exam: ExamView, say: Say) -> Json:
    return {
        "uid": exam.uid,
        "label": exam.label,
        "patient": exam.patient,
        "site": exam.site,
        "day": exam.day,
        "performed_on": None if exam.performed_on is None else exam.performed_on.isoformat(),
        "description": exam.description,
        "series": [_series(series, say) for series in exam.series],
        "findings": [_finding(finding, say) for finding in exam.findings],
        "refusals": [_refusal(refusal, say) for refusal in exam.refusals],
    }


def _series(series: SeriesView, say: Say) -> Json:
    return {
        "uid": series.uid,
        "modality": series.modality,
        "description": series.description,
        "device": series.device,
        "facts": [{"name": say(name), "value": say(value)} for name, value in series.facts],
        "measurements": [_measurement(one, say) for one in series.measurements],
        "lesions": [_lesion(lesion, say) for lesion in series.lesions],
    }


def _lesion(lesion: LesionView, say: Say) -> Json:
    return {
        "lesion": lesion.lesion,
        "track": lesion.followed_as,
        "label": lesion.label,
        "method": lesion.method,
        "measurements": [_measurement(one, say) for one in lesion.measurements],
        "radiomics": [features_as_json(one, say) for one in lesion.radiomics],
    }


def _measurement(one: Measurement, say: Say) -> Json:
    none = one.no_value
    return {
        "key": one.key,
        "label": say(one.label),
        "value": one.value,
        "standard_uncertainty": one.standard_uncertainty,
        "unit": one.unit,
        "no_value": None
        if none is None
        else {"code": none.code, "reason": say(none.reason), "remedy": say(none.remedy), "owner": none.owner.value},
        "tells": one.tells.value,
        "provenance": {
            "measure": one.provenance.measure,
            "revision": one.provenance.revision,
            "version": one.provenance.version,
            "inputs": list(one.provenance.inputs),
        },
    }


def _finding(finding: Finding, say: Say) -> Json:
    return {
        "protocol": finding.protocol,
        "protocol_title": say(protocol_of(finding)),
        "criterion": finding.criterion,
        "role": finding.role,
        "series_uid": finding.series_uid,
        "lesion": finding.lesion,
        "title": say(finding.title),
        "outcome": finding.outcome.value,
        "level": finding.level.value,
        "trust": finding.trust.value,
        "gates": finding.gates,
        "measured": _maybe(finding.measured, say),
        "limit": _maybe(finding.limit, say),
        "value": finding.value,
        "distance": finding.distance,
        "unit": finding.unit,
        "peers": None
        if finding.peers is None
        else {"count": finding.peers.count, "met": finding.peers.met, "percentile": finding.peers.percentile},
        "reason": _maybe(finding.reason, say),
        "remedy": _maybe(finding.remedy, say),
        "owner": None if finding.owner is None else finding.owner.value,
        "source": finding.source,
    }


def _refusal(refusal: Refusal, say: Say) -> Json:
    return {
        "code": refusal.code,
        "kind": refusal.kind.value,
        "subject": refusal.subject,
        "study_uid": refusal.study_uid,
        "series_uid": refusal.series_uid,
        "count": refusal.count,
        "reason": say(refusal.reason),
        "remedy": say(refusal.remedy),
        "owner": refusal.owner.value,
    }


def _lesion_change(change: LesionChange, say: Say) -> Json:
    return {
        "patient": change.patient,
        "lesion": change.lesion,
        "label": change.label,
        "verdict": change.verdict.value,
        "lead": None if change.lead is None else _change(change.lead, say),
        "changes": [_change(one, say) for one in change.changes],
        "links": [link_as_json(one, say) for one in change.links],
    }


def _change(change: Change, say: Say) -> Json:
    return {
        "key": change.after.measurement.key,
        "unit": change.after.measurement.unit,
        "before": {"exam": change.before.exam_uid, "value": change.before.measurement.value},
        "after": {"exam": change.after.exam_uid, "value": change.after.measurement.value},
        "difference": change.difference,
        "percent": change.percent,
        "limits_percent": None if change.limits_percent is None else list(change.limits_percent),
        "verdict": change.verdict.value,
        "reasons": [say(reason) for reason in change.reasons],
        "remedy": _maybe(change.remedy, say),
        "source": change.source,
    }


def _row(row: SiteRow, say: Say) -> Json:
    return {
        "site": row.site,
        "device": row.device,
        "key": row.key,
        "unit": row.unit,
        "count": row.count,
        "median": row.median,
        "values": list(row.values),
        "others_median": row.others_median,
        "deviation": row.deviation,
        "flagged": row.flagged,
        "explanation": _maybe(row.explanation, say),
    }
