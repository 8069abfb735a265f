"""Whether the signal of a diffusion series decays as its declared b-values say: the ADC of all tissue."""

from __future__ import annotations

import numpy as np

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measure import Component, Estimate, Givens, Reference, ReferenceKind, measure
from bingcheng.core.measurement import Tells
from bingcheng.image.volume import Stack
from bingcheng.quality.known_objects import rician_cylinder
from bingcheng.quality.magnitude import blocks, tissue

NO_B_SPAN = Problem(
    code="quality.no-b-value-span",
    says="the b-values up to {highest} s/mm2 span {span} s/mm2, too little for the signal to tell a decay",
    remedy="Send all b-values of the diffusion series together, among them one of 500 to 1000 s/mm2.",
    owner=Owner.TECHNOLOGIST,
)
DECAY_LOST = Problem(
    code="quality.b-value-signal-lost",
    says="fewer than {needed} places with tissue have signal at the highest b-value",
    remedy="Check the signal-to-noise ratio of the series at the highest b-value.",
    owner=Owner.TECHNOLOGIST,
)

MOST_B_S_PER_MM2 = 1500.0
"""Above, the decay is no longer mono-exponential (kurtosis)."""
LEAST_SPAN_S_PER_MM2 = 300.0
FEWEST_BLOCKS = 9
PLAUSIBLE_ADC = (0.2, 4.0)
"""In 10-3 mm2/s. Free water at 37 degrees diffuses with 3.0 (Mills, J Phys Chem 1973;77:685), and perfusion adds to
what low b-values show; the densest tumours have 0.4 or more. A trunk or head outside of it was labelled wrongly."""

WHY = "Rician noise at SNR 15 or more lifts a signal by 0.2 %, which is 0.003 of a decay of 0.8; the rest is scatter"


def _series(
    adc: float, b_values: tuple[float, float] = (50.0, 800.0), shown: tuple[float, float] | None = None
) -> Givens:
    """A cylinder of one ADC (10-3 mm2/s) whose images are labelled with the b-values `shown`."""
    volumes = tuple(
        rician_cylinder(signal=400.0 * float(np.exp(-1e-3 * b * adc)), noise=8.0, seed=n)
        for n, b in enumerate(b_values)
    )
    stack = Stack(volumes=volumes, axis="b_value", values=shown or b_values, unit="s/mm2")
    return {"volume": volumes[0], "diffusion": stack}


@measure(
    tells=Tells.EVIDENCE,
    label="Median ADC of all tissue",
    unit="10-3.mm2/s",
    modalities={"MR"},
    source="S(b) = S0 exp(-b ADC) between the lowest and the highest b-value up to 1500 s/mm2 (Stejskal & Tanner 1965)",
    budget=(
        Component(
            name="gradient calibration and nonlinearity",
            source="QIBA DWI Profile: ADC of an ice-water phantom within +-3.6 %, as rectangular 3.6/sqrt(3)",
            relative=0.036 / 3.0**0.5,
        ),
    ),
    references=(
        Reference(
            name="tissue of 1.1",
            case=lambda: _series(1.1),
            expect=1.1,
            rtol=0.01,
            kind=ReferenceKind.ANALYTIC,
            source="mono-exponential decay that was put in",
            why=WHY,
        ),
        Reference(
            name="b-values swapped",
            case=lambda: _series(1.1, b_values=(800.0, 50.0), shown=(50.0, 800.0)),
            expect=-1.1,
            rtol=0.01,
            kind=ReferenceKind.ANALYTIC,
            source="mono-exponential decay that was put in, with the labels exchanged",
            why=WHY,
        ),
    ),
)
def body_adc(diffusion: Stack) -> Estimate:
    """The median apparent diffusion coefficient over all places that show tissue, from two b-values.

    Outside of 0.2 to 4.0 (`decay_contradicts`) the signal contradicts the declared b-values: they were swapped,
    belong to other images, or a computed image stands among measured ones. It says nothing about a lesion.

    Parameters
    ----------
    diffusion : magnitude images along b-value in s/mm2.

    Returns
    -------
    Estimate
        10-3 mm2/s; negative where the signal grows with b. The standard uncertainty is that of a median over the
        places, nine of which are worth one.

    Raises
    ------
    Undefined
        ``quality.no-b-value-span``, ``quality.no-signal``, ``quality.b-value-signal-lost``,
        ``quality.too-little-air``.

    Notes
    -----
    Tissue is told on the brighter of the two images. Where the noise floor is reached at the highest b-value the value
    comes out too low.
    """
    used = [(b, volume) for b, volume in diffusion if b <= MOST_B_S_PER_MM2]
    span = used[-1][0] - used[0][0] if used else 0.0
    if span < LEAST_SPAN_S_PER_MM2:
        raise Undefined(NO_B_SPAN, highest=MOST_B_S_PER_MM2, span=span)
    low, high = blocks(used[0][1]), blocks(used[-1][1])
    brighter = low if float(np.sum(low.mean)) >= float(np.sum(high.mean)) else high
    seen = tissue(brighter) & (low.mean > 0.0) & (high.mean > 0.0)
    if np.count_nonzero(seen) < FEWEST_BLOCKS:
        raise Undefined(DECAY_LOST, needed=FEWEST_BLOCKS)
    adc = 1000.0 * np.log(low.mean[seen] / high.mean[seen]) / span
    middle = float(np.median(adc))
    spread = 1.4826 * float(np.median(np.abs(adc - middle)))
    return Estimate(middle, spread * (0.5 * np.pi * min(9.0, adc.size) / adc.size) ** 0.5)


def decay_contradicts(adc: float) -> bool:
    """Whether a median ADC of all tissue (10-3 mm2/s) contradicts the b-values that the header declares."""
    return not PLAUSIBLE_ADC[0] <= adc <= PLAUSIBLE_ADC[1]
