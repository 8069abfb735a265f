from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from bingcheng.core.errors import InputError
from bingcheng.quantify.filters.boundary import MIRROR
from bingcheng.quantify.filters.catalogue import FILTERS, filter_of
from bingcheng.quantify.filters.configurations import CT_FILTERS, RESPONSE_MAPS
from bingcheng.quantify.filters.gabor import Gabor, Part
from bingcheng.quantify.filters.mean import Mean
from bingcheng.quantify.filters.nonseparable_wavelet import NonseparableWavelet
from bingcheng.quantify.filters.riesz import RieszTransform

EVERY = (
    [one.filter for one in RESPONSE_MAPS.values()]
    + [one for one in CT_FILTERS.values() if one]
    + [
        Gabor(sigma_mm=1, wavelength_mm=4, part=Part.REAL),
        RieszTransform(of=NonseparableWavelet(), order=(1, 1, 0), alignment_sigma_mm=3.0),
    ]
)


@pytest.mark.parametrize("chosen", EVERY, ids=lambda one: one.name)
def test_settings_survive_being_written_down(chosen):
    written = json.loads(json.dumps(chosen.as_mapping()))
    assert filter_of(written) == chosen
    assert next(iter(written)) == "name"


def test_defaults_fill_what_is_left_out():
    assert filter_of({"name": "mean", "support_voxels": 3}) == Mean(support_voxels=3, boundary=MIRROR)
    assert filter_of({"name": "mean", "support_voxels": 3.0}).support_voxels == 3


def test_a_filter_does_not_change():
    with pytest.raises(FrozenInstanceError):
        Mean(support_voxels=3).support_voxels = 5


@pytest.mark.parametrize(
    ("settings", "code", "told"),
    [
        ({"name": "gabour"}, "unknown-filter", "gabor"),
        ({}, "unknown-filter", "laws"),
        ({"name": "zzzz"}, "unknown-filter", "mean, gaussian"),
        ({"name": "mean", "suport_voxels": 3}, "unknown-filter-parameter", "support_voxels"),
        ({"name": "mean", "support_voxels": 3, "qqq": 1}, "unknown-filter-parameter", "boundary"),
        ({"name": "mean"}, "missing-filter-parameter", "support_voxels"),
        ({"name": "mean", "support_voxels": None}, "missing-filter-parameter", "support_voxels"),
        ({"name": "mean", "support_voxels": "3"}, "filter-parameter", "a whole number"),
        ({"name": "mean", "support_voxels": 3.5}, "filter-parameter", "a whole number"),
        ({"name": "mean", "support_voxels": True}, "filter-parameter", "a whole number"),
        ({"name": "mean", "support_voxels": 3, "by_slice": 1}, "filter-parameter", "true or false"),
        ({"name": "mean", "support_voxels": 3, "boundary": "reflect"}, "unknown-boundary", "mirror"),
        ({"name": "laplacian_of_gaussian", "sigma_mm": "big"}, "filter-parameter", "a number"),
        ({"name": "laws", "kernels": 5}, "filter-parameter", "a word"),
        ({"name": "laws", "kernels": "L5L5", "pooling": "median"}, "filter-parameter", "max, average"),
        ({"name": "riesz", "order": 1, "of": {"name": "nonseparable_wavelet"}}, "filter-parameter", "a list"),
        (
            {"name": "riesz", "order": [1, 0, 0], "of": {"name": "mean", "support_voxels": 3}},
            "filter-parameter",
            "laplacian",
        ),
        ({"name": "riesz", "order": [1, 0, 0], "of": "simoncelli"}, "filter-parameter", "nonseparable_wavelet"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(settings, code, told):
    with pytest.raises(InputError) as refused:
        filter_of(settings)
    assert refused.value.code == f"quantify.{code}"
    assert told in str(refused.value)


def test_every_filter_has_an_identifier():
    assert all(len(one.ibsi) == 4 for one in FILTERS.values())
