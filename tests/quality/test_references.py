"""Every reference that the floor ships comes out, and quickly: `bingcheng verify` recomputes them at a hospital."""

import time

from bingcheng.core.case import Case
from bingcheng.core.catalogue import Catalogue
from bingcheng.core.errors import Problem
from bingcheng.core.units import UNITS


def test_each_reference_is_met_and_takes_under_half_a_second(methods):
    for measure in methods.measures:
        assert len(measure.references) >= 2
        for reference in measure.references:
            givens = reference.case()
            for _ in range(2):  # the first may compile
                began = time.process_time()
                case = Case(methods, givens, modality=min(measure.modalities))
                (found,) = case.measured(measure)
                took = time.process_time() - began
            assert case.applies(measure)
            assert found.no_value is None, (measure.key, reference.name, str(found.no_value and found.no_value.reason))
            assert reference.accepts(found.value), (measure.key, reference.name, found.value)
            assert found.standard_uncertainty > 0
            assert took < 0.5, (measure.key, reference.name)


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
