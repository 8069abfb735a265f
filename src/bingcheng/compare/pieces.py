"""A lesion that lies in several pieces in one exam, as one lesion.

Sizes are added (RECIST 1.1, Eisenhauer, Eur J Cancer 2009;45:228, appendix II: fragments of a lesion that split are
summed), the highest uptake is that of the hottest piece, and a mean is that of all pieces by their volume. What has no
rule here (percentiles, spreads, short axes) has no value for the whole.

Uncertainties of sums and means are added as if the pieces erred together. One drawer and one scanner made all of them;
where they err independently, this errs towards *within repeatability*.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bingcheng.compare.observation import Observation
from bingcheng.compare.tracks import Tracks
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measurement import Measurement, NoValue
from bingcheng.core.units import convert

ADDED = frozenset({"volume", "longest_diameter", "metabolic_tumour_volume", "mtv_41", "total_lesion_glycolysis"})
HIGHEST = frozenset(
    {"suv_max", "suv_peak", "sul_peak", "suv_peak_about_hottest", "suv_peak_whole_voxels", "hu_distribution.maximum"}
)
AVERAGED = frozenset({"suv_mean", "hu_mean", "adc_mean"})

NO_SUM = Problem(
    code="compare.pieces-without-sum",
    says="the lesion lies in {count} pieces here, and this measure has no value for all of them together",
    remedy="Read the value of each piece in the table of measurements.",
    owner=Owner.RADIOLOGIST,
)


def as_tracks(observations: Iterable[Observation], tracks: Tracks) -> Iterator[Observation]:
    """The observations by track: each lesion under its track's name, and the pieces of a lesion as one.

    Observations of whole series, and of lesions that no matching names, are handed on as they are.
    """
    pieces: dict[tuple[str, str, str, str], list[Observation]] = defaultdict(list)
    volumes: dict[tuple[str, str, str], float] = {}
    for one in observations:
        if one.lesion is None or (one.exam_uid, one.lesion) not in tracks.names:
            yield one
            continue
        if one.measurement.key == "volume" and one.measurement.value is not None:
            volume = convert(one.measurement.value, one.measurement.unit, "ml")
            volumes[one.exam_uid, one.series_uid, one.lesion] = volume
        track = tracks.name(one.exam_uid, one.lesion)
        pieces[track, one.exam_uid, one.series_uid, one.measurement.key].append(one)
    for (track, _, _, _), found in pieces.items():
        first = found[0]
        shares = [volumes.get((one.exam_uid, one.series_uid, one.lesion or "")) for one in found]
        whole = first.measurement if len(found) == 1 else together([one.measurement for one in found], shares)
        yield replace(first, lesion=track, measurement=whole)


def together(pieces: Sequence[Measurement], volumes: Sequence[float | None]) -> Measurement:
    """One measure of several pieces of a lesion, as of one lesion.

    Parameters
    ----------
    pieces : the same measure of each.
    volumes : of each piece, in one unit; None where it is not known.
    """
    first = pieces[0]
    inputs = tuple(dict.fromkeys(uid for one in pieces for uid in one.provenance.inputs))
    made = replace(first, provenance=replace(first.provenance, inputs=inputs))
    without = next((one.no_value for one in pieces if one.no_value is not None), None)
    if without is not None:
        return replace(made, value=None, standard_uncertainty=None, no_value=without)
    values = [float(one.value or 0.0) for one in pieces]
    unsure = [one.standard_uncertainty for one in pieces]
    if first.key in HIGHEST:
        top = values.index(max(values))
        return replace(made, value=values[top], standard_uncertainty=unsure[top])
    weights = _weights(first.key, volumes)
    if weights is None:
        none = NoValue.of(Undefined(NO_SUM, count=len(pieces)))
        return replace(made, value=None, standard_uncertainty=None, no_value=none)
    known = [one for one in unsure if one is not None]
    return replace(
        made,
        value=sum(w * v for w, v in zip(weights, values, strict=True)),
        standard_uncertainty=sum(w * u for w, u in zip(weights, known, strict=True))
        if len(known) == len(pieces)
        else None,
    )


def _weights(key: str, volumes: Sequence[float | None]) -> list[float] | None:
    """How much each piece counts in the whole; None where there is no such thing."""
    if key in ADDED:
        return [1.0] * len(volumes)
    known = [volume for volume in volumes if volume is not None]
    if key not in AVERAGED or len(known) != len(volumes) or sum(known) <= 0.0:
        return None
    return [volume / sum(known) for volume in known]
