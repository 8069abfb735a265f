"""A scanner that makes series of the published settings, in its vendor's way, and remembers what they truly are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import cos, radians, sin

from tests.protocol.recognition import vendors
from tests.protocol.recognition.published import SETTINGS, Setting
from tests.protocol.recognition.vendors import Dice

from bingcheng.dicom.acquisition import AnyAcquisition, Device, MrAcquisition

START = datetime(2026, 3, 2, 9, 0, 0)  # noqa: DTZ001 - as headers give it
BY_NAME = {setting.name: setting for setting in SETTINGS}
AXES = {"sagittal": 0, "coronal": 1, "axial": 2}


@dataclass
class Sample:
    """A series and what it truly is: by attribute key, only what its header can tell."""

    acquisition: AnyAcquisition
    setting: str
    truth: dict[str, object]
    untold: dict[str, object] = field(default_factory=dict)
    """The truth about quantities of which the header holds nothing: an answer would be a guess, or a name's."""


@dataclass
class MadeExam:
    """The series of one exam."""

    kind: str
    samples: list[Sample] = field(default_factory=list)

    @property
    def acquisitions(self) -> list[AnyAcquisition]:
        return [sample.acquisition for sample in self.samples]


class Maker:
    """Makes series with one scanner; `rng` decides all that is not said."""

    def __init__(self, vendor: str, field_t: float, rng: Dice) -> None:
        self.vendor, self.rng = vendor, rng
        # What headers write for the same magnets.
        self.field_t = rng.choice((1.5, 1.494)) if field_t == 1.5 else rng.choice((3.0, 2.89))
        self.device = Device(vendor=vendor, model=f"{vendor} MR", serial_number=str(rng.randint(1000, 9999)))
        self.clock = START
        self.made = 0

    def series(self, name: str, *, plane: str | None = None, **facts: object) -> Sample:
        """One series of a setting; `facts` replace what was drawn."""
        setting, rng = BY_NAME[name], self.rng
        plane = plane or rng.choice(setting.planes)
        self.clock += timedelta(seconds=rng.randint(60, 240))
        drawn = {**self._times(setting), **self._geometry(setting, plane), **self._header(setting, plane)}
        acquisition = MrAcquisition(**{**drawn, "started_at": self.clock, **facts})  # type: ignore[arg-type]
        truth: dict[str, object] = {
            "derived.plane": plane,
            "derived.weighting": setting.weighting,
            "derived.sequence": setting.sequence,
            "derived.content": "image",
            "MRAcquisitionType": setting.dims,
            "derived.is_dynamic": False,
        }
        fat = {"derived.fat_suppressed": setting.fat is not None}
        told = acquisition.fat_suppression is not None
        return Sample(acquisition, name, truth | (fat if told else {}), {} if told else fat)

    def uid(self) -> str:
        self.made += 1
        return f"1.2.{self.device.serial_number}.{self.made}"

    def _times(self, setting: Setting) -> dict[str, object]:
        rng, high = self.rng, self.field_t > 2
        tr = (setting.tr_3t if high else None) or setting.tr
        te = (setting.te_3t if high else None) or setting.te
        ti = (setting.ti_3t if high else None) or setting.ti
        train = rng.randint(*setting.train) if setting.train else None
        b = rng.choice(setting.b) if setting.b else ()
        return {
            "field_strength_t": self.field_t,
            "repetition_time_ms": round(rng.uniform(*tr), 2 if tr[1] < 100 else 0),
            "echo_times_ms": (round(rng.uniform(*te), 2 if te[1] < 30 else 0),),
            "inversion_time_ms": None if ti is None else round(rng.uniform(*ti), 0),
            "flip_angle_deg": vendors.flip_deg(setting.family, self.vendor, *setting.flip, rng),
            "echo_train_length": vendors.train_length(setting.family, self.vendor, train, rng),
            "pixel_bandwidth_hz": vendors.bandwidth_hz(setting.family, rng),
            "b_values_s_per_mm2": tuple(float(value) for value in b),
        }

    def _geometry(self, setting: Setting, plane: str) -> dict[str, object]:
        rng = self.rng
        tilt, turn = radians(rng.uniform(0.0, setting.tilt)), radians(rng.uniform(0.0, 360.0))
        normal = [0.0, 0.0, 0.0]
        axis = AXES[plane]
        normal[axis] = cos(tilt)
        normal[axis - 1], normal[axis - 2] = sin(tilt) * cos(turn), sin(tilt) * sin(turn)
        thickness = round(rng.uniform(*setting.thickness), 1)
        matrix = rng.choice((128, 256, 320, 512))
        return {
            "slice_normal": tuple(normal),
            "centre_mm": tuple(round(rng.uniform(-40, 40), 1) for _ in range(3)),
            "first_slice_mm": 0.0,
            "slice_thickness_mm": thickness,
            "reconstruction_interval_mm": round(thickness * rng.choice((1.0, 1.0, 1.1, 1.2)), 2),
            "slice_count": rng.randint(*setting.slices),
            "rows": matrix,
            "columns": matrix,
            "volume_count": 1,
        }

    def _header(self, setting: Setting, plane: str) -> dict[str, object]:
        rng, vendor = self.rng, self.vendor
        scanning, variant = vendors.words(setting.family, vendor)
        word, cased, chinese = vendors.PLANE_WORDS[plane]
        called = rng.choice(setting.called).format(p=word, P=cased, c=chinese)
        table = vendors.DIFFUSION if setting.family == "dwi" else vendors.ORIGINAL
        # A third of headers does not say how fat was suppressed, inversions excepted: they have their own words.
        told = setting.fat if setting.fat == "INVERSION" or rng.uniform(0.0, 1.0) < 0.67 else None
        return {
            "modality": "MR",
            "device": self.device,
            "series_uid": self.uid(),
            "image_type": vendors.image_type(table, vendor, setting.family),
            "scanning_sequence": scanning,
            "sequence_variant": variant,
            "sequence_name": vendors.sequence_name(setting.family, vendor, rng),
            "acquisition_type": "2D/MS" if vendor == "PHILIPS" and setting.dims == "2D" else setting.dims,
            "fat_suppression": told,
            "series_description": called,
            "protocol_name": called if vendor == "SIEMENS" else None,
        }
