"""Quantities that are measured in the image or seen there: of lesions, organs, and how far the body is covered."""

from __future__ import annotations

from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text, text
from bingcheng.protocol.attributes import Attribute, Conversion, ImageValues, outside
from bingcheng.protocol.values import Kind

MEASURE_LESIONS = text("Segment or measure the lesions; the limit applies to each target lesion.")
NODE_WORDS = ("node", "nodal", "淋巴结", "lymphknoten")
"""Words of a segment's label that tell a lymph node, which RECIST measures across its short axis."""


def _image(
    key: str, label: Text, *, unit: str = "1", measures: tuple[str, ...] = (), convert: Conversion | None = None
) -> Attribute:
    why = text("this is measured in the image, not read from the header: {what}", what=label)
    return outside(
        key,
        label=label,
        unit=unit,
        why=why,
        supply=MEASURE_LESIONS,
        owner=Owner.RADIOLOGIST,
        measures=measures,
        convert=convert,
    )


def _is_node(image: ImageValues) -> bool:
    return any(word in (image.label or "").casefold() for word in NODE_WORDS)


def _longest_diameter(image: ImageValues) -> float | None:
    return None if _is_node(image) else image.values["longest_diameter"]


def _diameter_in_slices(image: ImageValues) -> float | None:
    thickness_mm = image.acquisition.slice_thickness_mm
    return None if _is_node(image) or not thickness_mm else image.values["longest_diameter"] / thickness_mm


def _short_axis(image: ImageValues) -> float | None:
    return image.values["short_axis"] if _is_node(image) else None


TARGET_DIAMETER = _image(
    "image.target_longest_diameter",
    text("longest diameter of a target lesion"),
    unit="mm",
    measures=("longest_diameter",),
    convert=_longest_diameter,
)
TARGET_IN_SLICES = _image(
    "image.target_diameter_in_slices",
    text("longest diameter over slice thickness"),
    measures=("longest_diameter",),
    convert=_diameter_in_slices,
)
NODE_SHORT_AXIS = _image(
    "image.node_short_axis",
    text("short axis of a target lymph node"),
    unit="mm",
    measures=("short_axis",),
    convert=_short_axis,
)
TARGET_COUNT = _image("image.n_target_lesions", text("number of target lesions"))
TARGETS_PER_ORGAN = _image("image.n_target_per_organ", text("largest number of target lesions in one organ"))
SUL_PEAK_OVER_LIVER = _image(
    "image.baseline_sulpeak_over_threshold",
    text("baseline SULpeak over (1.5 liver mean + 2 liver SD)"),
)
EXTENT = outside(
    "image.anatomic_extent",
    label=text("anatomical extent"),
    kind=Kind.WORD,
    why=text("how far the body is covered shows in the image; the header's body part is no witness"),
    supply=text("Look at the first and the last slice and enter the extent."),
    owner=Owner.RADIOLOGIST,
)
BREAST_COVERAGE = outside(
    "image.breast_coverage",
    label=text("both breasts covered from axillary tail to inframammary fold"),
    kind=Kind.FLAG,
    why=text("how far the breasts are covered shows in the image"),
    supply=text("Look at the first and the last slice and answer."),
    owner=Owner.RADIOLOGIST,
)
PANCREAS_HU = outside(
    "image.pancreas_hu",
    label=text("CT number of the pancreas"),
    unit="[hnsf'U]",
    why=text("the enhancement of the pancreas is measured in the image, and was not"),
    supply=text("Measure the mean CT number of healthy pancreas in the pancreatic phase and enter it."),
    owner=Owner.RADIOLOGIST,
)
EDGE_F50 = outside(
    "image.edge_f50",
    label=text("resolution at the patient's edge (f50)"),
    unit="/mm",
    measures=("edge_resolution",),
    why=text("the resolution was not measured at the patient's skin in this series"),
    supply=text("Assess the exam with images, so that the resolution is measured."),
    owner=Owner.OPERATOR,
)
BODY_ADC = outside(
    "image.body_adc",
    label=text("median ADC of all tissue"),
    unit="10-3.mm2/s",
    measures=("body_adc",),
    why=text("how the signal decays with the b-value was not measured in this series"),
    supply=text("Assess the exam with all b-values of the series, so that the decay is measured."),
    owner=Owner.OPERATOR,
)
LIVER_SUV = outside(
    "image.liver_suv_mean",
    label=text("mean SUV of the liver"),
    unit="g/ml",
    measures=("liver_suv_mean",),
    why=text("no liver was found and measured in this series"),
    supply=text("Segment the liver, or assess the exam with the series that shows it."),
    owner=Owner.RADIOLOGIST,
)
