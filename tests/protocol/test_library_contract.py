"""Every criterion of every shipped protocol: cited, worded, and met by one generated exam and failed by another."""

from __future__ import annotations

import dataclasses

import pytest
from tests.each import each

from bingcheng.core.finding import Level, Outcome, Trust
from bingcheng.core.wording import Text
from bingcheng.protocol.attributes import About, attributes
from bingcheng.protocol.conformance import applicable, judge
from bingcheng.protocol.demands import Evidence
from bingcheng.protocol.library import protocols
from bingcheng.protocol.model import ANY_MODALITY, Scope
from bingcheng.protocol.roles import filling
from bingcheng.protocol.rules import operators
from bingcheng.protocol.supplied import Supplied

CRITERIA = [(p, c) for p in protocols() for c in p.criteria]
ROLES = [(p, r) for p in protocols() for r in p.roles]


def named(parts):
    """Criteria or roles with their names."""
    return [(f"{protocol.id}:{part.id}", (protocol, part)) for protocol, part in parts]


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


def test_each_criterion_says_where_it_comes_from_and_what_to_do():
    def holds(protocol, criterion):
        assert criterion.source
        cited = protocol.citations[criterion.id]
        for key in criterion.source:
            assert protocol.sources[key].citation in cited
        assert (criterion.trust is Trust.UNVERIFIED) == all(
            protocol.sources[k].read == "memory" for k in criterion.source
        )
        assert criterion.remedy.endswith(".")

    each(named(CRITERIA), holds)


def limits(criterion):
    """The limits of a criterion with the vendor that each is for."""
    return [(None, criterion.value)] if criterion.by_vendor is None else list(criterion.by_vendor.items())


def outcomes(make, protocol, criterion, vendor, value, limit):
    """The outcomes of `criterion` on a conforming exam in which its quantity has `value`."""
    parts = make.conforming(protocol.id)
    supplied = dict(parts.supplied)
    for condition in criterion.when:
        outside = attributes()[condition.attribute].about is About.OUTSIDE
        if outside and condition.operator != "present":  # what has to be present is so in the conforming exam
            supplied[condition.attribute] = met_by(condition)
    needs_pet = any(condition.attribute == "derived.exam_has_pet" for condition in criterion.when)
    exam, baseline, measured = parts.exam + [make.pet()] * needs_pet, parts.exam, ()
    key = criterion.attribute
    if attributes()[key].about is About.ROLES:
        exam = only_once(make.roles[key](parts.roles, criterion.roles, value))
    elif criterion.roles:
        series = original = parts.roles[criterion.roles[0]]
        if vendor is not None:
            series = type(series)(**{**fields(series), "device": type(series.device)(vendor=vendor)})
        for condition in criterion.when:
            if condition.attribute in make.series and condition.operator != "present":
                series = make.series[condition.attribute](series, met_by(condition))
        baseline = [series]
        if key in make.baseline and criterion.scope is Scope.PAIR:
            baseline = [make.baseline[key](series, value)]
        elif key in make.series:
            series = make.series[key](series, value)
        else:
            supplied[key] = value
        exam = [series, *(other for other in parts.exam if other.series_uid != original.series_uid)]
        measured = (series.series_uid,)
    elif key in make.exam:
        exam = make.exam[key](value, limit)
    else:
        supplied[key] = value
    by_series = {uid: {k: v for k, v in values.items() if k != key} for uid, values in parts.measured.items()}
    known = Supplied(exam=supplied, series=by_series)
    found = judge(protocol, exam, baseline=baseline, supplied=known, measured_on=measured)
    return [
        f.outcome
        for f in found
        if f.criterion == criterion.id
        and f.outcome is not Outcome.NOT_APPLICABLE
        and f.role in (None, *criterion.roles[:1])
        and (not measured or f.series_uid in (None, *measured))
    ]


def met_by(condition):
    """A value with which a condition holds."""
    attribute = attributes()[condition.attribute]
    return operators()[condition.operator].examples(condition.value, attribute.tolerance)[0]


def only_once(roles):
    """The series of an exam, of which one may fill several roles."""
    return list({series.series_uid: series for series in roles.values()}.values())


def fields(series):
    return {name: getattr(series, name) for name in series.__dataclass_fields__}


def test_each_criterion_passes_one_exam_and_fails_another(make):
    def holds(protocol, criterion):
        operator, attribute = operators()[criterion.operator], attributes()[criterion.attribute]
        for vendor, stated in limits(criterion):
            limit = baseline_value(make, protocol, criterion) if operator.needs_baseline else stated
            meets, fails = operator.examples(limit, attribute.tolerance)
            assert outcomes(make, protocol, criterion, vendor, meets, limit) == [Outcome.PASS]
            found = outcomes(make, protocol, criterion, vendor, fails, limit)
            if not found and operator.key == "between":  # beyond this end the series fills another role
                found = outcomes(make, protocol, criterion, vendor, limit[0] - (fails - limit[1]) / 2.0, limit)
            assert found == [Outcome.FAIL]

    each(named(CRITERIA), holds)


def baseline_value(make, protocol, criterion):
    """What the quantity of a pair criterion is in the conforming exam."""
    parts = make.conforming(protocol.id)
    evidence = Evidence(parts.exam)
    return evidence.reading(attributes()[criterion.attribute], parts.roles[criterion.roles[0]]).value


def test_each_role_says_where_it_comes_from_and_what_to_do_without_it():
    def holds(protocol, role):
        assert role.source
        assert protocol.citations[f"role.{role.id}"]
        assert role.remedy.endswith(".")

    each(named(ROLES), holds)


def test_each_series_is_found_in_one_exam_and_missed_in_another(make):
    def holds(protocol, role):
        parts = make.conforming(protocol.id)
        supplied = Supplied(exam=parts.supplied)
        if role.expected or role.id in parts.roles:
            assert role_outcome(protocol, role, parts.exam, supplied) == (Outcome.PASS, role.level)
        missed = Outcome.FAIL if role.expected else Outcome.NOT_APPLICABLE
        assert role_outcome(protocol, role, without(role, parts.exam, supplied), supplied) == (missed, role.level)

    each(named(ROLES), holds)


def role_outcome(protocol, role, exam, supplied):
    found = next(f for f in judge(protocol, exam, supplied=supplied) if f.criterion == f"role.{role.id}")
    return found.outcome, found.level


def without(role, exam, supplied):
    """What is left of an exam when all series are taken away that fill a role, or may."""
    left = list(exam)
    while True:
        # Without the first series after the injection the next one becomes the first.
        fills = {c.acquisition.series_uid for c in filling(role, Evidence(left, supplied)).candidates}
        if not fills:
            return left
        left = [series for series in left if series.series_uid not in fills]


@each_protocol
def test_a_conforming_exam_fails_nothing_and_is_never_gated(make, protocol):
    parts = make.conforming(protocol.id)
    known = Supplied(exam=parts.supplied, series=parts.measured)
    found = judge(protocol, parts.exam, baseline=parts.exam, supplied=known)
    assert applicable(protocol, parts.exam) is (protocol.modality != ANY_MODALITY)
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
    kinds = {"CT": make.ct, "PT": make.pet, "MR": make.dwi}
    empty = [
        type(kind())(modality=modality, device=type(device)(), series_uid="1.9")
        for modality, kind in kinds.items()
        if protocol.modality in (modality, ANY_MODALITY)
    ]
    passed = {f.criterion for f in judge(protocol, empty) if f.outcome is Outcome.PASS}
    # That an exam of one CT series holds no MR of the chest is known.
    assert passed <= {"no_chest_mri"}


@each_protocol
def test_a_header_that_is_silent_about_a_fact_fails_nothing(make, protocol):
    """What is missing is unknown: a failure needs a fact. Entries whose absence is itself the failure are left out."""
    parts = make.conforming(protocol.id)
    asked_for = {c.id for c in protocol.criteria if operators()[c.operator].absence_fails}
    stated = {name for series in parts.exam for name, value in fields(series).items() if value not in (None, (), "")}
    for name in stated - {"modality", "device", "series_uid"}:
        silent = [without_fact(series, name) for series in parts.exam]
        found = judge(protocol, silent, supplied=Supplied(exam=parts.supplied))
        assert [f for f in found if f.outcome is Outcome.FAIL and f.criterion not in asked_for] == [], name


def without_fact(series, name):
    facts = fields(series)
    if name in facts:
        facts[name] = next(field.default for field in dataclasses.fields(series) if field.name == name)
    return type(series)(**facts)


@each_protocol
def test_what_gates_is_required_and_verified(protocol):
    for finding in judge(protocol, []):
        if finding.outcome is Outcome.FAIL:
            assert finding.gates == (finding.level is Level.REQUIRED and finding.trust is not Trust.UNVERIFIED)


def test_the_library_speaks_without_braces_and_each_sentence_is_a_template_of_its_own():
    for protocol in protocols():
        for sentence in (c.remedy for c in protocol.criteria):
            assert str(Text(sentence)) == sentence
