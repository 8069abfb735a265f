"""All features of one lesion by MIRP, merged in the volume. Arguments: file of arrays, calls, answer.

In place of the arrays, a folder with image.nii.gz and mask.nii.gz.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from mirp import extract_features
from repetition import repeated

IN_VOLUME = "3d"
MERGED = "3d_volume_merge"
SETTINGS: Mapping[str, object] = MappingProxyType(
    {
        "image_modality": "mr",  # as CT, intensities would be rounded
        "by_slice": False,
        "base_feature_families": "all",
        "base_discretisation_method": "fixed_bin_number",
        "base_discretisation_n_bins": 32,
        "ivh_discretisation_method": "fixed_bin_number",
        "ivh_discretisation_n_bins": 32,
        "glcm_spatial_method": MERGED,
        "glrlm_spatial_method": MERGED,
        **{f"{family}_spatial_method": IN_VOLUME for family in ("glszm", "gldzm", "ngtdm", "ngldm")},
    }
)
NOT_FEATURES = ("sample_", "image_")


def read(place: Path) -> tuple[Any, Any]:
    """What MIRP takes as image and mask: arrays, or paths."""
    if place.is_dir():
        return str(place / "image.nii.gz"), str(place / "mask.nii.gz")
    with np.load(place) as held:
        return held["image"].astype(np.float64), held["mask"].astype(np.int64)


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    image, mask = read(Path(sys.argv[1]))

    def once() -> dict[str, float]:
        with contextlib.redirect_stdout(io.StringIO()):
            table = extract_features(image=image, mask=mask, **SETTINGS)[0]
        row = table.iloc[0].to_dict()
        return {name: value for name, value in row.items() if not name.startswith(NOT_FEATURES)}

    repeated(once, int(sys.argv[2]), Path(sys.argv[3]))


if __name__ == "__main__":
    main()
