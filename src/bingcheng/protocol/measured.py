"""What was measured in the images, as the quantities that protocols ask about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bingcheng.protocol.attributes import ImageValues, Supply, attributes
from bingcheng.protocol.supplied import Supplied


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredIn:
    """The values of one series, or of one lesion in it (`lesion` is its name)."""

    image: ImageValues
    lesion: str | None = None


def with_measured(supplied: Supplied, measured: Iterable[MeasuredIn]) -> Supplied:
    """`supplied` and, where it says nothing, what the measured values tell.

    Of a lesion that was measured in several series the first with a value counts.
    """
    asked = [one for one in attributes() if one.measures]
    series = {uid: dict(values) for uid, values in supplied.series.items()}
    lesions = {name: dict(values) for name, values in supplied.lesions.items()}
    for one in measured:
        place = series if one.lesion is None else lesions
        name = one.image.acquisition.series_uid if one.lesion is None else one.lesion
        for attribute in asked:
            if not all(key in one.image.values for key in attribute.measures):
                continue
            value: Supply | None = (
                one.image.values[attribute.measures[0]] if attribute.convert is None else attribute.convert(one.image)
            )
            if value is not None:
                place.setdefault(name, {}).setdefault(attribute.key, value)
    return replace(supplied, series=series, lesions=lesions)
