"""Whether the signal decays as the b-values say."""

import numpy as np
import pytest

from bingcheng.core.errors import Undefined
from bingcheng.image.phantoms.cases import diffusion_slab
from bingcheng.image.volume import Stack
from bingcheng.quality.b_value_decay import body_adc, decay_contradicts


def slab(adc, b_values, *, shown=None, sd=2.0):
    stack, _ = diffusion_slab(1e-3 * adc, b_values=b_values, sd=sd, shape=(6, 96, 96))
    return Stack(volumes=stack.volumes, axis="b_value", values=shown or stack.values, unit="s/mm2")


@pytest.mark.parametrize("adc", [0.5, 1.1, 2.2, 3.0])
@pytest.mark.parametrize("b_values", [(0.0, 800.0), (50.0, 400.0, 1000.0)])
def test_tissue_has_its_adc(adc, b_values):
    found = body_adc(slab(adc, b_values))
    # SNR 10 or more at the highest b: Rician noise lifts that signal by 0.5 %; blocks at the border by a few more.
    assert found.value == pytest.approx(adc, abs=0.03)
    assert not decay_contradicts(found.value)


@pytest.mark.parametrize(
    ("taken", "shown"),
    [
        ((800.0, 50.0), (50.0, 800.0)),  # swapped
        ((800.0, 800.0), (0.0, 800.0)),  # the same image twice
        ((0.0, 1000.0), (0.0, 300.0)),  # labelled too low: the decay would need more than water's diffusion
    ],
)
def test_b_values_that_the_signal_contradicts_are_told(taken, shown):
    assert decay_contradicts(body_adc(slab(1.5, taken, shown=shown)).value)


def test_b_values_far_apart_but_too_high_are_not_used():
    found = body_adc(slab(0.9, (0.0, 800.0, 3000.0)))
    assert found.value == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("b_values", [(800.0,), (0.0, 50.0), (0.0, 2000.0)])
def test_without_a_span_of_b_values_there_is_a_reason(b_values):
    with pytest.raises(Undefined) as caught:
        body_adc(slab(1.0, b_values))
    assert caught.value.code == "quality.no-b-value-span"


def test_a_series_without_signal_has_a_reason():
    stack = slab(1.0, (0.0, 800.0), sd=0.0)
    dark = Stack(
        volumes=(
            stack.volumes[0],
            type(stack.volumes[0])(
                voxels=np.zeros(stack.geometry.shape, dtype=np.float32), geometry=stack.geometry, unit="{arbitrary}"
            ),
        ),
        axis="b_value",
        values=stack.values,
        unit="s/mm2",
    )
    with pytest.raises(Undefined) as caught:
        body_adc(dark)
    assert caught.value.code == "quality.b-value-signal-lost"
