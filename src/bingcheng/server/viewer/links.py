"""Addresses that open the viewer on a study, a series, an image."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import urlencode


def study_link(
    studies: Sequence[str], *, series: str | None = None, instance: str | None = None, segment: bool = False
) -> str:
    """The address that opens studies in the viewer.

    Parameters
    ----------
    studies : study instance UIDs; several are compared.
    series : the series to begin with; otherwise the viewer chooses. Its segmentations lie over it.
    instance : the image to begin with; otherwise the middle of the first lesion, if there is one.
    segment : open with the tools to outline lesions.
    """
    asked = {"StudyInstanceUIDs": ",".join(studies)}
    if series is not None:
        asked["initialSeriesInstanceUID"] = series
    if instance is not None:
        asked["initialSOPInstanceUID"] = instance
    return f"/viewer/{'segmentation' if segment else 'viewer'}?{urlencode(asked, safe=',')}"


def tumour_volume_link(study: str) -> str:
    """The address that opens a PET/CT study in the mode for total metabolic tumour volume."""
    return f"/viewer/tmtv?{urlencode({'StudyInstanceUIDs': study})}"


def has_tumour_volume(modalities: Collection[str]) -> bool:
    """Whether a study with these modalities can be opened in that mode: it fuses a PET with a CT."""
    return {"PT", "CT"} <= set(modalities)
