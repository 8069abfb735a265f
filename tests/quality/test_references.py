"""Every reference that the floor ships comes out, and quickly: `bingcheng verify` recomputes them at a hospital."""

from bingcheng.core.case import Case
from bingcheng.core.catalogue import Catalogue
from bingcheng.core.errors import Problem
from bingcheng.core.units import UNITS


def test_each_reference_is_met(methods):
    for measure in methods.measures:
        assert len(measure.references) >= 2
        for reference in measure.references:
            givens = reference.case()
            case = Case(methods, givens, modality=min(measure.modalities))
            key = measure.key if reference.part is None else f"{measure.key}.{reference.part}"
            (found,) = (one for one in case.measured(measure) if one.key == key)
            assert case.applies(measure)
            assert found.no_value is None, (measure.key, reference.name, str(found.no_value and found.no_value.reason))
            assert reference.accepts(found.value), (measure.key, reference.name, found.value)
            # a probability is itself a statement of uncertainty
            assert reference.part is not None or found.standard_uncertainty > 0


def test_each_measure_says_what_it_is(methods):
    for measure in methods.measures:
        assert measure.unit in UNITS
        assert measure.source
        assert measure.function.__doc__.count("\n") > 5


def test_codes_of_problems_are_of_this_floor():
    problems = Catalogue.of(Problem, "bingcheng.quality")
    own = [problem for problem in problems if problem.code.startswith("quality.")]
    assert len(own) >= 14
    assert all(problem.remedy.endswith(".") for problem in own)
