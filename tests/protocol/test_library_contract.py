"""Every criterion of every shipped protocol: cited, worded, and met by one generated exam and failed by another."""

from __future__ import annotations

import pytest

from bingcheng.core.finding import Level, Outcome, Trust
from bingcheng.core.wording import Text
from bingcheng.protocol.attributes import About, attributes
from bingcheng.protocol.conformance import applicable, judge
from bingcheng.protocol.demands import Evidence
from bingcheng.protocol.library import protocols
from bingcheng.protocol.model import Scope
from bingcheng.protocol.rules import operators

CRITERIA = [(p, c) for p in protocols() for c in p.criteria]
NAMES = [f"{p.id}:{c.id}" for p, c in CRITERIA]
each_criterion = pytest.mark.parametrize(("protocol", "criterion"), CRITERIA, ids=NAMES)
each_protocol = pytest.mark.parametrize("protocol", protocols(), ids=lambda p: p.id)


def test_the_protocols_that_a_first_hospital_needs_are_there():
    assert {p.id for p in protocols()} >= {
        "ct_response_recist11",
        "ct_volumetry_cqie",
        "fdg_petct_qiba114",
        "fdg_petct_eanm2",
        "fdg_petct_percist",
        "dwi_adc_qiba",
        "wbdwi_uk",
        "liver_ct_lirads2018",
    }


@each_criterion
def test_each_criterion_says_where_it_comes_from_and_what_to_do(protocol, criterion):
    assert criterion.source
    cited = protocol.citations[criterion.id]
    for key in criterion.source:
        assert protocol.sources[key].citation in cited
    assert (criterion.trust is Trust.UNVERIFIED) == all(protocol.sources[k].read == "memory" for k in criterion.source)
    assert criterion.remedy.endswith(".")


def limits(criterion):
    """The limits of a criterion with the vendor that each is for."""
    return [(None, criterion.value)] if criterion.by_vendor is None else list(criterion.by_vendor.items())


def outcomes(make, protocol, criterion, vendor, value, limit):
    """The outcomes of `criterion` on a conforming exam in which its quantity has `value`."""
    parts = make.conforming(protocol.id)
    supplied = dict(parts.supplied)
    for condition in criterion.when:
        if attributes()[condition.attribute].about is About.OUTSIDE:
            supplied[condition.attribute] = condition.value[0] if condition.operator == "in" else condition.value
    needs_pet = any(condition.attribute == "derived.exam_has_pet" for condition in criterion.when)
    exam, baseline = parts.exam + [make.pet()] * needs_pet, parts.exam
    key = criterion.attribute
    if criterion.roles:
        series = parts.roles[criterion.roles[0]]
        if vendor is not None:
            series = type(series)(**{**fields(series), "device": type(series.device)(vendor=vendor)})
        baseline = [series]
        if key in make.baseline and criterion.scope is Scope.PAIR:
            baseline = [make.baseline[key](series, value)]
        elif key in make.series:
            series = make.series[key](series, value)
        else:
            supplied[key] = value
        exam = [series]
    elif key in make.exam:
        exam = make.exam[key](value, limit)
    else:
        supplied[key] = value
    found = judge(protocol, exam, baseline=baseline, supplied=supplied)
    return [f.outcome for f in found if f.criterion == criterion.id and f.outcome is not Outcome.NOT_APPLICABLE]


def fields(series):
    return {name: getattr(series, name) for name in series.__dataclass_fields__}


@each_criterion
def test_each_criterion_passes_one_exam_and_fails_another(make, protocol, criterion):
    operator, attribute = operators()[criterion.operator], attributes()[criterion.attribute]
    for vendor, stated in limits(criterion):
        limit = baseline_value(make, protocol, criterion) if operator.needs_baseline else stated
        meets, fails = operator.examples(limit, attribute.tolerance)
        assert outcomes(make, protocol, criterion, vendor, meets, limit) == [Outcome.PASS]
        assert outcomes(make, protocol, criterion, vendor, fails, limit) == [Outcome.FAIL]


def baseline_value(make, protocol, criterion):
    """What the quantity of a pair criterion is in the conforming exam."""
    parts = make.conforming(protocol.id)
    evidence = Evidence(parts.exam)
    return evidence.reading(attributes()[criterion.attribute], parts.roles[criterion.roles[0]]).value


@each_protocol
def test_a_conforming_exam_fails_nothing_and_is_never_gated(make, protocol):
    parts = make.conforming(protocol.id)
    found = judge(protocol, parts.exam, baseline=parts.exam, supplied=parts.supplied)
    assert applicable(protocol, parts.exam)
    assert [f.criterion for f in found if f.outcome is Outcome.FAIL or f.gates] == []
    assert sum(f.outcome is Outcome.PASS for f in found) >= 5


@each_protocol
def test_every_role_and_criterion_gives_at_least_one_finding(make, protocol):
    wanted = {f"role.{r.id}" for r in protocol.roles} | {c.id for c in protocol.criteria}
    for exam in ([], make.conforming(protocol.id).exam):
        assert {f.criterion for f in judge(protocol, exam)} == wanted


@each_protocol
def test_what_no_header_says_passes_nothing(make, protocol):
    device = make.ct().device
    kind = {"CT": make.ct, "PT": make.pet, "MR": make.dwi}[protocol.modality]()
    empty = type(kind)(modality=protocol.modality, device=type(device)(), series_uid="1.9")
    passed = {f.criterion for f in judge(protocol, [empty]) if f.outcome is Outcome.PASS}
    # That an exam of one CT series holds no MR of the chest is known.
    assert passed <= {"no_chest_mri"}


@each_protocol
def test_what_gates_is_required_and_verified(protocol):
    for finding in judge(protocol, []):
        if finding.outcome is Outcome.FAIL:
            assert finding.gates == (finding.level is Level.REQUIRED and finding.trust is not Trust.UNVERIFIED)


def test_the_library_speaks_without_braces_and_each_sentence_is_a_template_of_its_own():
    for protocol in protocols():
        for sentence in (c.remedy for c in protocol.criteria):
            assert str(Text(sentence)) == sentence
