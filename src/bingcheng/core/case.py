"""Filling in the inputs: a case holds what is given, makes what is derived once, and runs measures on it."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from bingcheng.core.catalogue import Catalogue
from bingcheng.core.derived import Derived
from bingcheng.core.errors import BingchengError, CatalogueError, Owner, Problem, Undefined
from bingcheng.core.measure import Answer, Estimate, Measure
from bingcheng.core.measurement import Measurement, NoValue
from bingcheng.core.provenance import Provenance

GIVENS: Mapping[str, str] = MappingProxyType(
    {
        "volume": "the image as a Volume in its real unit (HU, Bq/ml, signal); of a diffusion series, the lowest b",
        "acquisition": "typed acquisition facts of the series: CtAcquisition, MrAcquisition or PetAcquisition",
        "diffusion": "of a diffusion series: a Stack of volumes along b-value, in s/mm2",
        "lesion": "one lesion as a Region on the grid of `volume`; a measure that uses it is a lesion's measure",
        "segments": "mapping of label ('liver', 'lung', ...) to Region on the grid of `volume`; may be empty",
    }
)
"""Everything a measure or a derived input may ask for by name without anyone deriving it."""

UNKNOWN_INPUT = Problem(
    code="core.unknown-input",
    says="'{key}' asks for '{name}', which is neither given nor derived",
    remedy="Name an input that exists (`bingcheng measures --inputs` lists them), or add a @derived one.",
    owner=Owner.DEVELOPER,
)
CIRCULAR_INPUT = Problem(
    code="core.circular-input",
    says="the derived inputs go in a circle: {circle}",
    remedy="Break the circle: a derived input can't need itself.",
    owner=Owner.DEVELOPER,
)
NOT_FINITE = Problem(
    code="core.not-finite",
    says="'{key}' came out as {value}, which is no number to report",
    remedy="Let the measure raise Undefined with the reason instead.",
    owner=Owner.DEVELOPER,
)
MEASURE_FAILED = Problem(
    code="core.measure-failed",
    says="'{key}' stopped with an unexpected {error}",
    remedy="Report it to whoever maintains the measure, with the series' modality and size.",
    owner=Owner.DEVELOPER,
)


class Methods:
    """All measures and derived inputs of an installation, checked to fit together."""

    def __init__(self, measures: Catalogue[Measure], derived: Catalogue[Derived]) -> None:
        self.measures = measures
        self.derived = derived
        self._needs: dict[str, frozenset[str]] = {}
        for entry in (*measures, *derived):
            for name in entry.inputs:
                self._require(entry.key, name)
        for entry in derived:
            self._given_by(entry.key, ())

    @classmethod
    def of(cls, *packages: str, entry_point_group: str | None = None) -> Methods:
        """The methods described in `packages` and in installed plug-ins (see `Catalogue.of`).

        Raises
        ------
        CatalogueError
            ``core.duplicate-key``, ``core.broken-plugin``, ``core.unknown-input``, ``core.circular-input``.
        """
        return cls(
            Catalogue.of(Measure, *packages, entry_point_group=entry_point_group),
            Catalogue.of(Derived, *packages, entry_point_group=entry_point_group),
        )

    def needs(self, measure: Measure) -> frozenset[str]:
        """The givens that `measure` needs in the end, through all derived inputs."""
        return frozenset().union(*(self._given_by(name, ()) for name in measure.inputs))

    def per_lesion(self, measure: Measure) -> bool:
        """Whether `measure` speaks of one lesion rather than of a whole series."""
        return "lesion" in self.needs(measure)

    def of_series(self) -> tuple[Measure, ...]:
        """The measures of whole series, in the order in which people read them."""
        return self._in_order(per_lesion=False)

    def of_lesions(self) -> tuple[Measure, ...]:
        """The measures of single lesions, in the order in which people read them."""
        return self._in_order(per_lesion=True)

    def _in_order(self, *, per_lesion: bool) -> tuple[Measure, ...]:
        chosen = (one for one in self.measures if self.per_lesion(one) is per_lesion)
        return tuple(sorted(chosen, key=lambda one: (one.order, one.key)))

    def given_by(self, name: str) -> frozenset[str]:
        """The givens from which the input `name` is made."""
        return self._given_by(name, ())

    def _require(self, key: str, name: str) -> None:
        if name not in GIVENS and name not in self.derived:
            raise CatalogueError(UNKNOWN_INPUT, key=key, name=name)

    def _given_by(self, name: str, path: tuple[str, ...]) -> frozenset[str]:
        if name in path:
            raise CatalogueError(CIRCULAR_INPUT, circle=" -> ".join((*path[path.index(name) :], name)))
        if name in GIVENS:
            return frozenset((name,))
        if name not in self._needs:
            inputs = self.derived[name].inputs
            self._needs[name] = frozenset().union(*(self._given_by(inner, (*path, name)) for inner in inputs))
        return self._needs[name]


class Case:
    """The inputs of one series, or of one lesion in it; derived inputs are made at most once.

    A lesion's case (`with_lesion`) shares whatever does not depend on the lesion with its series' case.
    """

    def __init__(
        self,
        methods: Methods,
        givens: Mapping[str, object],
        *,
        modality: str,
        inputs: tuple[str, ...] = (),
        parent: Case | None = None,
    ) -> None:
        self.methods = methods
        self.modality = modality
        self.inputs = inputs
        self._givens = dict(givens)
        self._made: dict[str, object] = {}
        self._failed: dict[str, BingchengError] = {}
        self._parent = parent

    def with_lesion(self, lesion: object, *, inputs: tuple[str, ...] = ()) -> Case:
        """The case of one lesion in this series; `inputs` are UIDs to add to the provenance."""
        return Case(
            self.methods,
            {**self._givens, "lesion": lesion},
            modality=self.modality,
            inputs=(*self.inputs, *inputs),
            parent=self,
        )

    def __getitem__(self, name: str) -> object:
        """The input `name`, given or derived.

        Raises
        ------
        BingchengError
            whatever the derivation raised, the same each time it is asked for.
        KeyError
            if a given that it needs is absent.
        """
        if name in self._givens:
            return self._givens[name]
        if self._parent is not None and "lesion" not in self.methods.given_by(name):
            return self._parent[name]
        if name in self._failed:
            raise copy.copy(self._failed[name])
        if name not in self._made:
            maker = self.methods.derived[name]
            try:
                self._made[name] = maker.function(**{inner: self[inner] for inner in maker.inputs})
            except BingchengError as error:
                # A copy, for one that was raised holds its frames, they hold this case, and it holds the voxels: such a
                # circle is not released before the collector comes by.
                self._failed[name] = copy.copy(error)
                raise
        return self._made[name]

    def applies(self, measure: Measure) -> bool:
        """Whether `measure` is for this modality and everything it needs is given."""
        return self.modality in measure.modalities and self.methods.needs(measure) <= self._givens.keys()

    def measured(self, measure: Measure) -> Iterator[Measurement]:
        """The values of `measure` here, or why there are none. Never raises for what the data or a plug-in did."""
        try:
            answer = measure.function(**{name: self[name] for name in measure.inputs})
        except BingchengError as error:
            yield from self._without_value(measure, error)
        except Exception as error:  # noqa: BLE001 - a plug-in's own fault must not stop the exam; it is recorded, not hidden
            failure = Undefined(MEASURE_FAILED, key=measure.key, error=type(error).__name__)
            failure.__cause__ = error
            yield from self._without_value(measure, failure)
        else:
            yield from self._values(measure, answer)

    def _values(self, measure: Measure, answer: Answer) -> Iterator[Measurement]:
        answers: dict[str | None, float | Estimate] = {}
        if isinstance(answer, Mapping):
            answers.update(answer)
        else:
            answers[None] = answer
        for part, single in answers.items():
            estimate = single if isinstance(single, Estimate) else Estimate(float(single))
            if not math.isfinite(estimate.value):
                failure = Undefined(NOT_FINITE, key=measure.key, value=str(estimate.value))
                yield self._measurement(measure, part, None, NoValue.of(failure))
            else:
                yield self._measurement(measure, part, estimate, None)

    def _without_value(self, measure: Measure, error: BingchengError) -> Iterator[Measurement]:
        for part in measure.parts or (None,):
            yield self._measurement(measure, part, None, NoValue.of(error))

    def _measurement(
        self, measure: Measure, part: str | None, estimate: Estimate | None, no_value: NoValue | None
    ) -> Measurement:
        described = measure if part is None else measure.parts[part]
        return Measurement(
            key=measure.key if part is None else f"{measure.key}.{part}",
            label=described.label,
            unit=described.unit,
            value=None if estimate is None else float(estimate.value),
            standard_uncertainty=None if estimate is None else estimate.standard_uncertainty,
            no_value=no_value,
            provenance=Provenance(
                measure=measure.key,
                revision=measure.revision,
                parameters=measure.parameters,
                inputs=self.inputs,
            ),
            tells=measure.tells,
        )
