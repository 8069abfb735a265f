"""Exams to learn from, generated: a liver CT of two scanners, an MR of the prostate, an FDG PET."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
from tests.protocol import conftest as making

from bingcheng.dicom.acquisition import Device
from bingcheng.protocol.authoring.clusters import GoodExam

SERIALS = ("SECRET-4711", "SECRET-0815", "SECRET-1234")
SOMATOM_A, SOMATOM_B = (Device(vendor="SIEMENS", model="Somatom", serial_number=one) for one in SERIALS[:2])
REVOLUTION = Device(vendor="GE", model="Revolution", serial_number=SERIALS[2], station_name="SECRET-STATION")
SCANNERS = (SOMATOM_A, REVOLUTION, SOMATOM_B)
SETTINGS = {
    "SIEMENS": {"slice_thickness_mm": 2.5, "convolution_kernel": "B30f"},
    "GE": {"slice_thickness_mm": 3.0, "convolution_kernel": "STANDARD"},
}


def liver_exams(count: int = 12, *, outlier_mm: float | None = None) -> list[GoodExam]:
    """Portal venous CT, thin and thick; on three of four exams also before contrast.

    Slices are 2.5 mm on one vendor's scanners and 3 mm on the other's; the tube voltage is 100 or 120 kV everywhere,
    and the tube charge follows the patient. `outlier_mm` is the thickness of the first exam's thick series.
    """
    charges = np.random.default_rng(1).normal(240.0, 60.0, count)
    exams = []
    for n in range(count):
        device = SCANNERS[n % 3]
        made = {
            "device": device,
            "kvp_kv": (100.0, 120.0)[n % 2],
            "exposure_mas": float(charges[n]),
            "weight_kg": 60.0 + n,
            "study_description": "SECRET-STUDY",
            "protocol_name": "SECRET-NAME",
            "series_description": "SECRET-SERIES",
        }
        thick_mm = outlier_mm if outlier_mm is not None and n == 0 else 5.0
        kernel = SETTINGS[device.vendor]["convolution_kernel"]
        series = [
            making.liver_ct("portal_venous", **(made | SETTINGS[device.vendor])),
            making.liver_ct(
                "portal_venous",
                **(made | {"series_uid": "1.9", "slice_thickness_mm": thick_mm, "convolution_kernel": kernel}),
            ),
        ]
        if n % 4:
            before = made | {"slice_thickness_mm": 5.0, "convolution_kernel": kernel}
            series.append(making.liver_ct("precontrast", **before))
        exams.append(GoodExam(acquisitions=tuple(series)))
    return exams


def pet_exams(count: int = 8) -> list[GoodExam]:
    """FDG PET about 60 min after the injection."""
    minutes = np.random.default_rng(2).normal(60.0, 2.0, count)
    return [
        GoodExam(acquisitions=(making.pet(started_at=making.START + timedelta(minutes=float(m))),)) for m in minutes
    ]


def prostate_exams(count: int = 6) -> list[GoodExam]:
    """What conforms to the prostate protocol, of scanners whose repetition times differ a little."""
    exams = []
    for n in range(count):
        series = making.conforming("prostate_mpmri_pirads21").exam
        exams.append(
            GoodExam(
                acquisitions=tuple(
                    replace(one, repetition_time_ms=one.repetition_time_ms + n) if one.repetition_time_ms else one
                    for one in series
                )
            )
        )
    return exams
