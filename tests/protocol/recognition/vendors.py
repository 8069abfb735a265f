"""How each vendor's header writes a sequence: ScanningSequence, variants, trains, flip angles, image types, names."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Dice:
    """Seeded choices as plain Python values, whatever the platform."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def randint(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self._rng.integers(low, high + 1))

    def uniform(self, low: float, high: float) -> float:
        """A number between the two."""
        return float(self._rng.uniform(low, high))

    def choice(self, among: Sequence[T]) -> T:
        """One of them."""
        return among[self.randint(0, len(among) - 1)]

    def shuffle(self, them: MutableSequence[T]) -> None:
        """Deal them out anew, in place."""
        order = self._rng.permutation(len(them))
        them[:] = [them[int(k)] for k in order]


SEQUENCE_WORDS = {
    # family: vendor -> (ScanningSequence, SequenceVariant)
    "tse": {
        "SIEMENS": (("SE",), ("SK", "SP")),
        "GE": (("SE",), ("SK",)),
        "PHILIPS": (("SE",), ("SK",)),
        "UIH": (("SE",), ("SK", "SP")),
        "CANON": (("SE",), ("SK",)),
    },
    "se": {"SIEMENS": (("SE",), ("SP",)), "*": (("SE",), ("NONE",))},
    "haste": {"SIEMENS": (("SE",), ("SK", "SP", "OSP")), "GE": (("SE",), ("SK", "SS")), "*": (("SE",), ("SK",))},
    "tse3d": {"SIEMENS": (("SE",), ("SK", "SP")), "*": (("SE",), ("SK",))},
    "ir_tse": {
        "SIEMENS": (("SE", "IR"), ("SK", "SP", "MP")),
        "PHILIPS": (("IR",), ("SK",)),
        "*": (("SE", "IR"), ("SK",)),
    },
    "ir_tse3d": {
        "SIEMENS": (("SE", "IR"), ("SK", "SP", "MP")),
        "PHILIPS": (("IR",), ("SK",)),
        "*": (("SE", "IR"), ("SK",)),
    },
    "dwi": {
        "SIEMENS": (("EP",), ("SK", "SP")),
        "GE": (("EP", "SE"), ("NONE",)),
        "PHILIPS": (("SE",), ("SK",)),
        "UIH": (("EP", "SE"), ("SK",)),
        "CANON": (("SE", "EP"), ("NONE",)),
    },
    "epi_gre": {
        "SIEMENS": (("EP",), ("SK",)),
        "GE": (("EP", "GR"), ("SS",)),
        "PHILIPS": (("GR", "EP"), ("SK",)),
        "*": (("EP", "GR"), ("SK",)),
    },
    "gre": {
        "SIEMENS": (("GR",), ("SP",)),
        "GE": (("GR",), ("SS", "SP", "SK")),
        "PHILIPS": (("GR",), ("SK", "SP")),
        "UIH": (("GR",), ("SP",)),
        "CANON": (("GR",), ("SS", "SP")),
    },
    "gre2d": {"SIEMENS": (("GR",), ("SP", "OSP")), "GE": (("GR",), ("SS", "SP")), "*": (("GR",), ("SP",))},
    "swi": {"SIEMENS": (("GR",), ("SP",)), "*": (("GR",), ("SP",))},
    "mprage": {
        "SIEMENS": (("GR", "IR"), ("SK", "SP", "MP")),
        "GE": (("GR", "IR"), ("SS", "SP", "MP", "SK")),
        "PHILIPS": (("GR",), ("MP",)),
        "*": (("GR", "IR"), ("SK", "SP", "MP")),
    },
    "bssfp": {
        "SIEMENS": (("GR",), ("SK", "SS")),
        "GE": (("GR",), ("SS",)),
        "PHILIPS": (("GR",), ("SK",)),
        "*": (("GR",), ("SS",)),
    },
}

SEQUENCE_NAMES = {
    "SIEMENS": {
        "tse": "*tse2d1_{n}",
        "se": "*se2d1",
        "haste": "*h2d1_{n}",
        "tse3d": "*spc3d1_{n}",
        "ir_tse": "*tir2d1_{n}",
        "ir_tse3d": "*spcir_{n}",
        "dwi": "*ep_b0",
        "epi_gre": "*epfid2d1_128",
        "gre": "*fl3d1",
        "gre2d": "*fl2d1",
        "swi": "*swi3d1r",
        "mprage": "*tfl3d1_16",
        "bssfp": "*tfi2d1",
    },
    "GE": {},
    "PHILIPS": {},
    "CANON": {"tse": "FSE2D", "gre": "FFE3D", "dwi": "SE_EPI", "haste": "FASE2D"},
    "UIH": {"tse": "fse", "gre": "gre_quick_3d", "dwi": "epi_dwi", "haste": "fse_ssh", "mprage": "gre_fsp_3d"},
}
"""(0018,0024): Siemens, UIH and Canon write the pulse program; GE and Philips leave it empty in classic objects."""

PLANE_WORDS = {
    "axial": ("tra", "Ax", "轴位"),
    "sagittal": ("sag", "Sag", "矢状位"),
    "coronal": ("cor", "Cor", "冠状位"),
}

ORIGINAL = {
    "SIEMENS": ("ORIGINAL", "PRIMARY", "M", "ND", "NORM"),
    "GE": ("ORIGINAL", "PRIMARY", "OTHER"),
    "PHILIPS": ("ORIGINAL", "PRIMARY", "M_{p}", "M", "{p}"),
    "UIH": ("ORIGINAL", "PRIMARY", "M", "NORM"),
    "CANON": ("ORIGINAL", "PRIMARY", "OTHER"),
}
DIFFUSION = {
    "SIEMENS": ("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "ND"),
    "GE": ("ORIGINAL", "PRIMARY", "OTHER"),
    "PHILIPS": ("ORIGINAL", "PRIMARY", "M_SE", "M", "SE"),
    "UIH": ("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"),
    "CANON": ("ORIGINAL", "PRIMARY", "OTHER"),
}
ADC = {
    "SIEMENS": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND", "NORM"),
    "GE": ("DERIVED", "SECONDARY", "ADC"),
    "PHILIPS": ("DERIVED", "PRIMARY", "ADC", "ADC", "UNSPECIFIED"),
    "UIH": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC"),
    "CANON": ("DERIVED", "PRIMARY", "ADC"),
}
COMPUTED_B = {
    "SIEMENS": ("DERIVED", "PRIMARY", "DIFFUSION", "CALC_BVALUE", "TRACEW"),
    "GE": ("DERIVED", "SECONDARY", "OTHER"),
    "PHILIPS": ("DERIVED", "SECONDARY", "OTHER"),
    "UIH": ("DERIVED", "PRIMARY", "DIFFUSION", "CALC_BVALUE"),
    "CANON": ("DERIVED", "SECONDARY", "OTHER"),
}
SUBTRACTION = {
    "SIEMENS": ("DERIVED", "PRIMARY", "M", "ND", "SUB"),
    "GE": ("DERIVED", "SECONDARY", "SUBTRACT"),
    "PHILIPS": ("DERIVED", "SECONDARY", "SUBTRACTION"),
    "UIH": ("DERIVED", "PRIMARY", "SUB"),
    "CANON": ("DERIVED", "SECONDARY", "SUBTRACTION"),
}
MIP = {
    "SIEMENS": ("DERIVED", "SECONDARY", "MPR", "MIP"),
    "GE": ("DERIVED", "SECONDARY", "PROJECTION IMAGE"),
    "PHILIPS": ("DERIVED", "SECONDARY", "PROJECTION IMAGE", "M", "FFE"),
    "UIH": ("DERIVED", "SECONDARY", "MIP"),
    "CANON": ("DERIVED", "SECONDARY", "MIP"),
}
MPR = {
    "SIEMENS": ("DERIVED", "SECONDARY", "MPR"),
    "GE": ("DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"),
    "PHILIPS": ("DERIVED", "SECONDARY", "MPR"),
    "UIH": ("DERIVED", "SECONDARY", "MPR"),
    "CANON": ("DERIVED", "SECONDARY", "MPR"),
}
RCBV = {
    "SIEMENS": ("DERIVED", "PRIMARY", "PERFUSION", "RELCBV"),
    "GE": ("DERIVED", "SECONDARY", "RCBV"),
    "PHILIPS": ("DERIVED", "SECONDARY", "CBV"),
    "UIH": ("DERIVED", "SECONDARY", "CBV"),
    "CANON": ("DERIVED", "SECONDARY", "CBV"),
}
LOCALISER = {
    "SIEMENS": ("ORIGINAL", "PRIMARY", "M", "ND", "NORM"),
    "GE": ("ORIGINAL", "PRIMARY", "OTHER"),
    "PHILIPS": ("ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"),
    "UIH": ("ORIGINAL", "PRIMARY", "LOCALIZER"),
    "CANON": ("ORIGINAL", "PRIMARY", "LOCALIZER"),
}


def words(family: str, vendor: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """ScanningSequence and SequenceVariant."""
    table = SEQUENCE_WORDS[family]
    return table.get(vendor) or table["*"]


def image_type(table: dict[str, tuple[str, ...]], vendor: str, family: str) -> tuple[str, ...]:
    """The image type; Philips writes the read-out into it."""
    readout = "SE" if family in {"tse", "se", "haste", "tse3d", "dwi"} else "IR" if family.startswith("ir") else "FFE"
    return tuple(word.replace("{p}", readout) for word in table[vendor])


def sequence_name(family: str, vendor: str, rng: Dice) -> str | None:
    """The pulse program's name."""
    name = SEQUENCE_NAMES[vendor].get(family)
    return None if name is None else name.replace("{n}", str(rng.randint(5, 29)))


def train_length(family: str, vendor: str, train: int | None, rng: Dice) -> int | None:
    """EchoTrainLength as written: the EPI or TFE factor with Philips, 1 with Siemens' gradient echoes and EPI."""
    if train is not None:
        return train
    if vendor == "PHILIPS" and family in {"dwi", "epi_gre", "mprage", "gre"}:
        return rng.randint(20, 90)
    return 1 if vendor in {"SIEMENS", "GE"} else None


def flip_deg(family: str, vendor: str, low: float, high: float, rng: Dice) -> float:
    """FlipAngle as written: refocusing with Siemens' and Canon's turbo spin echoes, excitation with the others."""
    if family in {"tse", "ir_tse", "tse3d", "ir_tse3d"} and vendor in {"SIEMENS", "CANON"}:
        return float(rng.randint(120, 180))
    return round(rng.uniform(low, high), 0)


def bandwidth_hz(family: str, rng: Dice) -> float:
    """PixelBandwidth; EPI 976 to 3000 and more (MY-RADS)."""
    return float(rng.randint(976, 3000) if family in {"dwi", "epi_gre"} else rng.randint(130, 750))
