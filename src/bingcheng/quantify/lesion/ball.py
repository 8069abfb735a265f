"""The ball that a RECIST line stands for, or the ellipsoid in a box: what other methods have to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.method import between, segmenter
from bingcheng.quantify.lesion.neighbourhood import Floats, Neighbourhood
from bingcheng.quantify.lesion.prompt import Box, PromptKind, RecistLine, body_of

PIECES = 4
"""Into how many pieces along each axis a voxel is split to tell how much of it belongs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ball:
    """A ball of `scale` times the diameter that was drawn."""

    scale: float = between(0.1, 5.0, 1.0)


@segmenter(
    key="ball",
    label=text("Ball from the RECIST line"),
    modalities=("CT", "MR", "PT"),
    prompts=(PromptKind.RECIST_LINE, PromptKind.BOX),
    source="Volume of a sphere of the longest diameter, as unidimensional criteria assume",
    good_for=text("Large masses whose border the image does not show: as good as any method there, and easy to edit."),
    fails=text("Ignores the image: overestimates whatever is longer than wide."),
    settings=Ball,
    order=40,
)
def ball(volume: Volume, prompt: Box | RecistLine, settings: Ball) -> Region:
    """The part of each voxel that lies in the ball with the line as a diameter, or in the ellipsoid of the box."""
    body = body_of(prompt, volume.geometry)
    hood = Neighbourhood.about(volume, body, times=settings.scale, margin_mm=max(volume.geometry.spacing_mm))
    share: Floats = np.zeros(hood.shape, dtype=np.float32)
    for piece in np.ndindex(PIECES, PIECES, PIECES):
        at = [s + (p + 0.5) / PIECES - 0.5 for s, p in zip(hood.start, piece, strict=True)]
        share += body.radius((at[0], at[1], at[2]), hood.shape, volume.geometry) <= settings.scale
    return hood.region(share / np.float32(PIECES**3))
