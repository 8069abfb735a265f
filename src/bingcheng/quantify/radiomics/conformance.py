"""Whether this installation reaches the reference values of the IBSI: a table, value by value."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files

from bingcheng.core.errors import Undefined
from bingcheng.core.wording import Text, text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.configurations import CONFIGURATIONS
from bingcheng.quantify.radiomics.diagnostics import diagnostics
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.families import all_features
from bingcheng.quantify.reference_cases import ibsi_digital_phantom

DIGITAL_PHANTOM = "digital phantom"
CT_PHANTOM = tuple(name for name in CONFIGURATIONS if name != DIGITAL_PHANTOM)
"""Configurations for the CT phantom, which users fetch themselves (CC BY-NC 3.0)."""
DIAGNOSTICS = "diagnostics"

SIGNIFICANT_DIGITS = 3
"""The tables give three; a value is compared after rounding to as many, as the IBSI does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One line of a reference table.

    Parameters
    ----------
    expect, tolerance : as printed; None where there is no consensus.
    digits : significant digits of the printed value, at least three.
    consensus : ``very strong``, ``strong``, ``moderate`` or ``none``.
    """

    tag: str
    expect: float | None
    tolerance: float
    digits: int
    consensus: str

    def accepts(self, value: float) -> bool:
        """Whether `value`, rounded to the digits that are printed, lies within the tolerance."""
        if self.expect is None:
            return False
        rounded = float(f"{value:.{self.digits - 1}e}")
        # A billionth of the value is rounding of decimal numbers, not a difference.
        return abs(rounded - self.expect) <= self.tolerance + 1e-9 * abs(self.expect)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceRow:
    """One reference value and what came out here.

    Parameters
    ----------
    case : ``digital phantom`` or the letter of a configuration for the CT phantom.
    family : lower-case name of the feature family, or ``diagnostics``.
    ours : None if there is no value.
    reached : None where there is no consensus to reach.
    why : of a value that was not reached, or can't be.
    """

    case: str
    tag: str
    family: str
    expect: float | None
    tolerance: float
    consensus: str
    ours: float | None
    reached: bool | None
    why: Text | None = None


def expectations(case: str) -> tuple[Expectation, ...]:
    """The IBSI's reference table of a case: ``digital phantom``, or ``A`` to ``E``."""
    name = "ibsi1_digital_phantom.csv" if case == DIGITAL_PHANTOM else f"ibsi1_config_{case}.csv"
    stored = files(__package__).joinpath("tables", name).read_text(encoding="utf-8")
    lines = csv.DictReader(line for line in stored.splitlines() if not line.startswith("#"))
    return tuple(
        Expectation(
            tag=line["tag"],
            expect=float(line["expect"]) if line["expect"] else None,
            tolerance=float(line["tolerance"] or 0.0),
            digits=max(SIGNIFICANT_DIGITS, _digits(line["expect"])),
            consensus=line["consensus"],
        )
        for line in lines
    )


def conformance(ct_phantom: tuple[Volume, Region] | None = None) -> Iterator[ConformanceRow]:
    """Every reference value of the IBSI 1, with what this installation gives.

    Parameters
    ----------
    ct_phantom : image and region of the IBSI's CT phantom, for the configurations A to E; None leaves them out.
    """
    yield from conformance_of(DIGITAL_PHANTOM, *digital_phantom())
    if ct_phantom is not None:
        for case in CT_PHANTOM:
            yield from conformance_of(case, *ct_phantom)


def digital_phantom() -> tuple[Volume, Region]:
    """The digital phantom as the IBSI has it: its image ends where its voxels end, which local peaks depend on."""
    known = ibsi_digital_phantom()
    bordered, lesion = known["volume"], known["lesion"]
    assert isinstance(bordered, Volume)
    assert isinstance(lesion, Region)
    grid = bordered.geometry.box((1, 1, 1), (4, 4, 5))
    volume = Volume(voxels=bordered.voxels[1:-1, 1:-1, 1:-1], geometry=grid, unit=bordered.unit)
    return volume, replace(lesion, start=(0, 0, 0), grid=grid)


def conformance_of(case: str, volume: Volume, region: Region) -> Iterator[ConformanceRow]:
    """The reference values of one case, with what this installation gives."""
    settings = CONFIGURATIONS[case]
    result = features(volume, region, settings)
    values: dict[str, float | Undefined] = {**diagnostics(volume, region, settings), **result.values}
    families = {entry.tag: entry.feature.family.name.lower() for entry in all_features(settings)}
    for expected in expectations(case):
        yield _row(case, expected, values, families.get(expected.tag, DIAGNOSTICS))


def _row(case: str, expected: Expectation, values: Mapping[str, float | Undefined], family: str) -> ConformanceRow:
    value = values.get(expected.tag)
    ours = None if value is None or isinstance(value, Undefined) else value
    reached = None if expected.expect is None else ours is not None and expected.accepts(ours)
    return ConformanceRow(
        case=case,
        tag=expected.tag,
        family=family,
        expect=expected.expect,
        tolerance=expected.tolerance,
        consensus=expected.consensus,
        ours=ours,
        reached=reached,
        why=_why(value, reached),
    )


def _why(value: float | Undefined | None, reached: bool | None) -> Text | None:
    if isinstance(value, Undefined):
        return value.reason
    if value is None:
        return text("This value is not computed.")
    if reached is None:
        return text("The IBSI reached no consensus on this value.")
    return None if reached else text("The value lies outside the published tolerance.")


def _digits(printed: str) -> int:
    # 358000 is rounded to three digits, 125256 is a count.
    digits = printed.lstrip("-") if "." in printed else printed.lstrip("-").rstrip("0")
    return len(digits.replace(".", "").lstrip("0"))
