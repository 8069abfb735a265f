"""The story of the demo: hospitals and scanners, patients and lesions, and what happened between the exams.

Everything here is invented: the hospitals don't exist, and the patients bear the names that stand for nobody in
particular (Zhang San, Li Si, Wang Wu, Jane Doe).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bingcheng.dicom.acquisition import Device
from bingcheng.dicom.exam import Patient
from bingcheng.engine.demo.anatomy import Build
from bingcheng.engine.demo.scenario import (
    NOT_COMPARABLE,
    REAL,
    WITHIN,
    CtTechnique,
    LesionState,
    LesionStory,
    MrTechnique,
    Person,
    PetTechnique,
    Story,
    Visit,
)

BAIHE = "Baihe First People's Hospital (fictitious)"
YUNMEN = "Yunmen Cancer Hospital (fictitious)"
LONGTAN = "Longtan University Hospital (fictitious)"


def _device(vendor: str, manufacturer: str, model: str, serial: str, software: str, hospital: str) -> Device:
    return Device(
        vendor=vendor,
        manufacturer=manufacturer,
        model=model,
        serial_number=serial,
        software_versions=(software,),
        station_name=f"{vendor[:2]}{serial[-3:]}",
        institution=hospital,
    )


def stories() -> tuple[Story, ...]:
    """The three patients of three hospitals, and a fourth whose weight nobody wrote down."""
    return _baihe(), _yunmen(), _longtan(), _without_weight()


def _baihe() -> Story:
    ct = CtTechnique(
        slice_mm=2.0,
        slices=100,
        kernel="Br40d\\3",
        blur_mm=0.60,
        noise_hu=11.0,
        ctdi_vol_mgy=9.6,
        exposure_mas=142.0,
    )
    pet = PetTechnique(
        voxel_mm=(3.0, 4.0728, 4.0728),
        matrix=168,
        slices=70,
        fwhm_mm=5.6,
        noise=0.09,
        calibration=1.00,
        uptake_min=60.0,
        dose_mbq_per_kg=4.0,
        method="PSF+TOF 3i21s",
        iterations=3,
        subsets=21,
        filter="XYZ Gauss4.00",
    )
    mr = MrTechnique(
        pixel_mm=1.5625,
        matrix=240,
        slice_mm=6.0,
        slices=34,
        b_values=(0.0, 50.0, 400.0, 800.0),
        noise=5.0,
        gain=1.0,
        field_t=3.0,
        repetition_ms=6200.0,
        echo_ms=58.0,
        sequence="epi2",
    )
    grown = LesionStory(
        name="L1",
        label="Liver lesion, segment VII",
        centre_mm=(-84.0, 22.0, -6.0),
        lean_deg=(25.0, 15.0, 0.0),
        before=LesionState(semi_axes_mm=(15.0, 13.5, 14.0), hu=66.0, suv=5.2, diffusivity_mm2_per_s=1.55e-3),
        after=LesionState(semi_axes_mm=(20.5, 18.0, 19.0), hu=72.0, suv=9.4, diffusivity_mm2_per_s=0.74e-3),
        verdict=REAL,
        why="its volume more than doubled, its uptake rose and its diffusivity fell, on the same protocol",
    )
    steady = LesionStory(
        name="L2",
        label="Liver lesion, segment III",
        centre_mm=(-14.0, -50.0, 14.0),
        lean_deg=(10.0, 0.0, 20.0),
        before=LesionState(semi_axes_mm=(12.5, 11.5, 12.0), hu=70.0, suv=6.1, diffusivity_mm2_per_s=1.05e-3),
        after=LesionState(semi_axes_mm=(12.5, 11.5, 12.0), hu=70.0, suv=6.1, diffusivity_mm2_per_s=1.05e-3),
        verdict=WITHIN,
        why="it is the same in truth; the numbers move with noise and with where the voxels fall",
    )
    first = datetime.fromisoformat("2026-03-09T08:40")
    return Story(
        folder="baihe",
        hospital=BAIHE,
        pet_ct=_device("SIEMENS", "SIEMENS", "Biograph64_mCT 4R", "11204", "VG76B", BAIHE),
        mr_scanner=_device("GE", "GE MEDICAL SYSTEMS", "SIGNA Architect", "00421", "29\\LX\\MR Software", BAIHE),
        person=Person(
            identity=Patient(
                patient_id="DEMO-0001", issuer="BAIHE-DEMO", name="Zhang^San=张^三", birth_date="19610412"
            ),
            sex="M",
            age_a=64,
            height_m=1.71,
            weight_kg=68.0,
            build=Build(across=1.0, depth=1.0, fat_mm=17.0),
            lesions=(grown, steady),
        ),
        visits=(
            Visit(at=first, follow_up=False, ct=ct, pet=pet, mr=mr),
            Visit(
                at=first + timedelta(days=63, minutes=35),
                follow_up=True,
                ct=ct,
                pet=replace(pet, uptake_min=62.0),
                mr=mr,
            ),
        ),
    )


def _yunmen() -> Story:
    ct = CtTechnique(
        slice_mm=2.5,
        slices=80,
        kernel="B",
        blur_mm=0.68,
        noise_hu=13.5,
        # less than half of the others' dose: thick slices and a soft kernel hide in the noise what it costs
        ctdi_vol_mgy=4.1,
        exposure_mas=62.0,
        collimation_mm=40.0,
        detector_mm=0.625,
        field_mm=410.0,
        unusually_low=True,
    )
    pet = PetTechnique(
        voxel_mm=(4.0, 4.0, 4.0),
        matrix=144,
        slices=50,
        fwhm_mm=6.6,
        noise=0.11,
        calibration=0.93,
        uptake_min=63.0,
        dose_mbq_per_kg=3.7,
        method="BLOB-OS-TF",
        iterations=3,
        subsets=33,
        filter="NONE",
        units="CNTS",
    )
    mr = MrTechnique(
        pixel_mm=1.6667,
        matrix=216,
        slice_mm=5.0,
        slices=40,
        b_values=(50.0, 400.0, 800.0),
        noise=6.0,
        gain=1.6,
        field_t=3.0,
        repetition_ms=5400.0,
        echo_ms=64.0,
        sequence="epi_dwi",
    )
    state = LesionState(semi_axes_mm=(17.0, 15.0, 16.0), hu=68.0, suv=7.2, diffusivity_mm2_per_s=1.18e-3)
    stays = LesionStory(
        name="L1",
        label="Liver lesion, segment VIII",
        centre_mm=(-90.0, -12.0, 6.0),
        lean_deg=(-20.0, 10.0, 0.0),
        before=state,
        after=state,
        verdict=WITHIN,
        why="it is the same in truth; the numbers move with noise and with where the voxels fall",
    )
    first = datetime.fromisoformat("2026-03-16T09:05")
    return Story(
        folder="yunmen",
        hospital=YUNMEN,
        pet_ct=_device("PHILIPS", "Philips", "Vereos PET/CT", "620187", "2.0.2", YUNMEN),
        mr_scanner=_device("UIH", "UIH", "uMR 790", "300266", "V10", YUNMEN),
        person=Person(
            identity=Patient(patient_id="DEMO-0002", issuer="YUNMEN-DEMO", name="Doe^Jane", birth_date="19700923"),
            sex="F",
            age_a=55,
            height_m=1.62,
            weight_kg=61.0,
            build=Build(across=0.95, depth=0.96, fat_mm=21.0),
            lesions=(stays,),
        ),
        visits=(
            Visit(at=first, follow_up=False, ct=ct, pet=pet, mr=mr),
            Visit(
                at=first + timedelta(days=56, minutes=-20),
                follow_up=True,
                ct=ct,
                pet=replace(pet, uptake_min=60.0),
                mr=mr,
            ),
        ),
    )


def _longtan() -> Story:
    ct = CtTechnique(
        slice_mm=1.25,
        slices=160,
        kernel="B_SOFT_B",
        blur_mm=0.55,
        noise_hu=16.0,
        ctdi_vol_mgy=10.4,
        exposure_mas=156.0,
        collimation_mm=40.0,
        detector_mm=0.625,
    )
    pet = PetTechnique(
        voxel_mm=(2.85, 3.125, 3.125),
        matrix=192,
        slices=72,
        fwhm_mm=5.2,
        noise=0.13,
        calibration=1.06,
        uptake_min=60.0,
        dose_mbq_per_kg=3.4,
        method="OSEM_TOF_PSF",
        iterations=2,
        subsets=10,
        filter="Gaussian 3.0mm",
    )
    mr = MrTechnique(
        pixel_mm=1.75,
        matrix=208,
        slice_mm=6.0,
        slices=34,
        b_values=(50.0, 400.0, 800.0),
        noise=9.0,
        gain=2.2,
        field_t=1.5,
        repetition_ms=4800.0,
        echo_ms=66.0,
        sequence="DwiSE",
        enhanced=True,
    )
    before = LesionState(
        semi_axes_mm=(16.0, 14.0, 15.0), hu=70.0, suv=5.4, diffusivity_mm2_per_s=1.12e-3, perfusion=0.18
    )
    # FDG goes on rising in a tumour after one hour: the tumour is the same, its uptake at 95 minutes is not
    after = replace(before, suv=7.6)
    seems = LesionStory(
        name="L1",
        label="Liver lesion, segment VI",
        centre_mm=(-84.0, 24.0, -18.0),
        lean_deg=(15.0, -10.0, 0.0),
        before=before,
        after=after,
        verdict=NOT_COMPARABLE,
        why=(
            "it is the same in truth; thicker slices and a softer kernel, 95 instead of 60 minutes of uptake, and "
            "other b-values make the numbers differ"
        ),
    )
    first = datetime.fromisoformat("2026-03-23T10:10")
    return Story(
        folder="longtan",
        hospital=LONGTAN,
        pet_ct=_device("UIH", "UIH", "uMI 780", "200914", "uWS-MI R001", LONGTAN),
        mr_scanner=_device("PHILIPS", "Philips", "Ingenia Ambition S", "78115", "5.7.1", LONGTAN),
        person=Person(
            identity=Patient(patient_id="DEMO-0003", issuer="LONGTAN-DEMO", name="Li^Si=李^四", birth_date="19560130"),
            sex="M",
            age_a=70,
            height_m=1.74,
            weight_kg=77.0,
            build=Build(across=1.05, depth=1.05, fat_mm=20.0),
            lesions=(seems,),
        ),
        visits=(
            Visit(at=first, follow_up=False, ct=ct, pet=pet, mr=mr),
            Visit(
                at=first + timedelta(days=70, minutes=50),
                follow_up=True,
                ct=replace(
                    ct,
                    slice_mm=5.0,
                    slices=40,
                    kernel="B_VSOFT_B",
                    blur_mm=0.95,
                    noise_hu=6.5,
                    ctdi_vol_mgy=6.9,
                    exposure_mas=104.0,
                ),
                pet=replace(pet, uptake_min=95.0),
                mr=replace(mr, b_values=(0.0, 50.0, 400.0)),
                broken=(
                    "CT: 5 mm slices with a very soft kernel instead of 1.25 mm with a soft one",
                    "PET: 95 minutes of uptake instead of 60",
                    "MR: b = 800 s/mm2 was not acquired",
                ),
            ),
        ),
    )


def _without_weight() -> Story:
    model = _yunmen()
    visit = model.visits[0]
    assert visit.pet is not None
    return replace(
        model,
        folder="yunmen",
        person=Person(
            identity=Patient(patient_id="DEMO-0004", issuer="YUNMEN-DEMO", name="Wang^Wu=王^五", birth_date="19830705"),
            sex="M",
            age_a=42,
            height_m=1.76,
            weight_kg=74.0,
            build=Build(across=1.02, depth=0.98, fat_mm=15.0),
            lesions=(),
        ),
        visits=(
            Visit(
                at=datetime.fromisoformat("2026-04-02T13:20"),
                follow_up=False,
                ct=None,
                # no private SUV factor either: the console computes it from the weight
                pet=replace(visit.pet, units="BQML", slices=40),
                mr=None,
                broken=("PET: the patient's weight was not entered",),
                weight_recorded=False,
            ),
        ),
    )
