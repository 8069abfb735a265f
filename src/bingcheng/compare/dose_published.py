"""Size bands and published diagnostic reference levels, as cited data in ``dose_reference.toml``."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from bingcheng.compare.dose_groups import UNKNOWN_SIZE, BodyRegion, Procedure, SizeBand, SizeScheme, bands
from bingcheng.compare.dose_record import DoseQuantity
from bingcheng.compare.rulefile import Entry, Sentence, content, load, require_unique
from bingcheng.core.finding import Trust

FILE = "dose_reference.toml"
ADULT_FROM_A = 18.0
"""Published levels of adults are used from this age on."""


class BandRow(Entry):
    """How patients are told apart by one kind of size; `edges` rise, in the unit of the scheme."""

    scheme: SizeScheme
    edges: Annotated[tuple[float, ...], Field(min_length=1)]
    source: Sentence

    @model_validator(mode="after")
    def _edges_rise(self) -> BandRow:
        if list(self.edges) != sorted(set(self.edges)) or self.edges[0] <= 0:
            raise ValueError("edges are positive and rise")
        return self


class BandLimits(Entry):
    """A range of Dw, in cm."""

    low: Annotated[float, Field(gt=0.0)] | None = None
    high: Annotated[float, Field(gt=0.0)] | None = None


class PublishedLevel(Entry):
    """One published level of one quantity; `low`, `achievable` and `drl` are percentiles 25, 50 and 75, in its unit."""

    id: Sentence
    authority: Sentence
    year: Annotated[int, Field(ge=1990, le=2100)]
    regions: Annotated[tuple[BodyRegion, ...], Field(min_length=1)]
    quantity: DoseQuantity
    phantom_cm: Annotated[float, Field(gt=0.0)]
    drl: Annotated[float, Field(gt=0.0)]
    achievable: Annotated[float, Field(gt=0.0)] | None = None
    low: Annotated[float, Field(gt=0.0)] | None = None
    band: BandLimits | None = None
    indication: str = ""
    source: Sentence
    trust: Trust

    @model_validator(mode="after")
    def _percentiles_rise(self) -> PublishedLevel:
        given = [value for value in (self.low, self.achievable, self.drl) if value is not None]
        if given != sorted(given):
            raise ValueError("low, achievable and drl are percentiles 25, 50 and 75, so they rise")
        return self

    @property
    def procedure(self) -> Procedure:
        """The procedure that it is for."""
        return Procedure.of(self.regions)

    @property
    def size(self) -> SizeBand | None:
        """The size that it is for; None for a typical adult."""
        if self.band is None:
            return None
        return SizeBand(scheme=SizeScheme.DIAMETER, low=self.band.low, high=self.band.high)


class DoseRules(Entry):
    """The whole file."""

    bands: tuple[BandRow, ...]
    level: tuple[PublishedLevel, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> DoseRules:
        require_unique(level.id for level in self.level)
        require_unique(row.scheme.value for row in self.bands)
        return self

    def band_of(self, scheme: SizeScheme, value: float | None) -> SizeBand:
        """The band in which a size lies; the unknown one if the size, or the scheme, is not known."""
        if value is None or value < 0:
            return UNKNOWN_SIZE
        edges = next((row.edges for row in self.bands if row.scheme is scheme), None)
        if edges is None:
            return UNKNOWN_SIZE
        return next(band for band in bands(scheme, edges) if band.holds(value))


@cache
def dose_rules() -> DoseRules:
    """The bands and levels that ship with the package.

    Raises
    ------
    CatalogueError
        ``compare.broken-rules``.
    """
    return load(DoseRules, (resources.files("bingcheng.compare") / FILE).read_text("utf-8"), FILE)


def dose_rules_from(path: Path) -> DoseRules:
    """A hospital's or province's own bands and levels.

    Raises
    ------
    CatalogueError
        ``compare.broken-rules``, naming the entry and the field.
    """
    return load(DoseRules, content(path), path.name)
