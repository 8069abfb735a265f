"""``bingcheng radiomics --map``: maps over every lesion, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bingcheng.core.errors import BingchengError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.engine.radiomics.call import Chosen, Told
from bingcheng.engine.radiomics.inputs import Source
from bingcheng.engine.radiomics.maps import mapped_over, save_map


def make_maps(
    sources: Sequence[Source],
    types: Chosen,
    asked: str,
    *,
    folder: Path,
    radius_voxels: int,
    workers: int,
    told: Told,
) -> tuple[tuple[Path, ...], tuple[Refusal, ...]]:
    """Write the map over each lesion; gives the files, and what could not be mapped."""
    paths: list[Path] = []
    refusals: list[Refusal] = []
    for source in sources:
        try:
            subject = source.read()
            settings = types(subject.modality)[0].settings
        except BingchengError as error:
            refusals.append(Refusal.of(error, kind=SubjectKind.SERIES, subject=source.name))
            continue
        for region in subject.regions:
            try:
                made = mapped_over(
                    subject, region, asked, settings, radius_voxels=radius_voxels, workers=workers, told=told
                )
                paths += save_map(made, folder, subject)
            except BingchengError as error:
                name = f"{subject.name}: {region.label}"
                refusals.append(Refusal.of(error, kind=SubjectKind.REGION, subject=name))
    return tuple(paths), tuple(refusals)
