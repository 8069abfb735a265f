"""The doses of all exams in JSON's own types; patients stand there by their exams, with no more than a size band."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bingcheng.compare.dose_groups import Procedure, SizeBand
from bingcheng.compare.dose_judgement import DoseJudgement, JudgedSite
from bingcheng.compare.dose_overview import DoseOverview, JudgedDose
from bingcheng.compare.dose_percentiles import Percentile
from bingcheng.compare.dose_published import PublishedLevel
from bingcheng.compare.dose_record import DoseQuantity, DoseRecord
from bingcheng.compare.dose_reference import ReferenceLevel
from bingcheng.core.wording import Text

Json = dict[str, Any]
Say = Callable[[Text | str], str]


def dose_as_json(overview: DoseOverview, say: Say) -> Json:
    """Exams with their judgements, the reference levels, every hospital beside them, and the published levels."""
    return {
        "exams": [_exam(exam, say) for exam in overview.exams],
        "levels": [_level(level, say) for level in overview.levels],
        "sites": [_site(site, say) for site in overview.sites],
        "published": [_published(level, say) for level in overview.published],
    }


def _exam(exam: JudgedDose, say: Say) -> Json:
    record = exam.record
    return {
        "exam": record.exam_uid,
        "site": record.site,
        "device": record.device,
        **_group(record.procedure, record.band, record.phantom_cm, say),
        "water_equivalent_diameter_cm": record.water_equivalent_diameter_cm,
        "scan_count": record.scan_count,
        "values": [_value(record, quantity, say) for quantity in DoseQuantity],
        "judgements": [_judgement(one, say) for one in exam.judgements],
        "remarks": [
            {"code": one.code, "reason": say(one.reason), "remedy": say(one.remedy), "owner": one.owner.value}
            for one in record.remarks
        ],
    }


def _value(record: DoseRecord, quantity: DoseQuantity, say: Say) -> Json:
    value, none = record.values.get(quantity), record.absent.get(quantity)
    return {
        "quantity": quantity.value,
        "value": None if value is None else value.value,
        "standard_uncertainty": None if value is None else value.standard_uncertainty,
        "unit": quantity.unit,
        "basis": None if value is None else value.basis.value,
        "no_value": None
        if none is None
        else {"code": none.code, "reason": say(none.reason), "remedy": say(none.remedy), "owner": none.owner.value},
    }


def _judgement(one: DoseJudgement, say: Say) -> Json:
    return {
        "quantity": one.quantity.value,
        "verdict": one.verdict.value,
        "level_of": one.whose,
        "reference": one.reference,
        "low": one.low,
        "sentence": say(one.sentence),
        "remedy": None if one.remedy is None else say(one.remedy),
        "owner": None if one.owner is None else one.owner.value,
        "source": one.source,
        "trust": one.trust.value,
    }


def _level(level: ReferenceLevel, say: Say) -> Json:
    group = level.group
    return {
        **_group(group.procedure, group.band, group.phantom_cm, say),
        "quantity": group.quantity.value,
        "unit": group.quantity.unit,
        "low": _percentile(level.low),
        "achievable": _percentile(level.achievable),
        "reference": _percentile(level.drl),
        "provisional": level.provisional,
        "exam_count": level.exam_count,
        "sites": [
            {"site": one.site, "count": one.count, "median": one.median, "counts": one.counts} for one in level.sites
        ],
        "estimates_left_out": level.estimates_left_out,
    }


def _site(site: JudgedSite, say: Say) -> Json:
    return {
        "site": site.site,
        **_group(site.procedure, site.band, site.phantom_cm, say),
        "quantity": site.quantity.value,
        "unit": site.quantity.unit,
        "median": site.median,
        "level_of": site.whose,
        "verdict": site.verdict.value,
        "sentence": say(site.sentence),
        "remedy": None if site.remedy is None else say(site.remedy),
        "owner": None if site.owner is None else site.owner.value,
    }


def _published(level: PublishedLevel, say: Say) -> Json:
    return {
        "id": level.id,
        "authority": level.authority,
        "year": level.year,
        **_group(level.procedure, level.size, level.phantom_cm, say),
        "quantity": level.quantity.value,
        "unit": level.quantity.unit,
        "low": level.low,
        "achievable": level.achievable,
        "reference": level.drl,
        "indication": say(level.indication) if level.indication else "",
        "source": level.source,
        "trust": level.trust.value,
    }


def _group(procedure: Procedure, band: SizeBand | None, phantom_cm: float | None, say: Say) -> Json:
    return {
        "procedure": {
            "label": say(procedure.label),
            "regions": [region.value for region in procedure.regions],
            "hybrid": procedure.hybrid,
            "protocol": procedure.protocol,
        },
        "size": None
        if band is None
        else {"label": say(band.label), "scheme": band.scheme.value, "low": band.low, "high": band.high},
        "phantom_cm": phantom_cm,
    }


def _percentile(one: Percentile) -> Json:
    return {"value": one.value, "interval": None if one.interval is None else list(one.interval)}
