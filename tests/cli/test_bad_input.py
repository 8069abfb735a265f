"""Bad input at the level of the command: a clear message, a stable code, nothing lost, and the rest goes on."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit, generate_uid
from tests.engine import making
from tests.engine.conftest import shorten_uncertainties
from tests.engine.making import ANNA, BRUNO, ct, drawn, grid, pet

from bingcheng.dicom.write.header import uid_of
from bingcheng.image.nifti import write_region


@pytest.fixture(autouse=True)
def uncertainties_are_short(monkeypatch):
    """Nothing here asks how large they are."""
    shorten_uncertainties(monkeypatch)


@pytest.fixture(scope="session")
def exam_made_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exam")
    ct(folder)
    return folder


@pytest.fixture
def exam(exam_made_once, tmp_path):
    """A CT exam to spoil: sixteen slices and a segmentation of one lesion."""
    return shutil.copytree(exam_made_once, tmp_path / "exam")


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """Another patient's exam beside it, which must be assessed whatever happens to the first. Read only."""
    folder = tmp_path_factory.mktemp("beside") / "good"
    ct(folder, name="good", patient=BRUNO)
    return folder


def lesions_of(said):
    return [lesion for exam in said.json["exams"] for series in exam["series"] for lesion in series["lesions"]]


def truncate(exam):
    path = exam / "00003.dcm"
    path.write_bytes(path.read_bytes()[:-4000])


def cut_in_header(exam):
    path = exam / "00003.dcm"
    path.write_bytes(path.read_bytes()[:700])


def empty(exam):
    (exam / "00003.dcm").write_bytes(b"")


def text(exam):
    (exam / "notes.dcm").write_text("The patient was well.\n" * 50)


def without_pixels(exam):
    making.change(exam / "00003.dcm", lambda data: data.pop("PixelData"))


def wrong_rows(exam):
    making.change(exam / "00003.dcm", lambda data: setattr(data, "Rows", 120))


def corrupt_jpeg(exam):
    def spoil(data: Dataset) -> None:
        data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        data.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xe0" + bytes(range(256)) * 3])
        data["PixelData"].VR = "OB"
        data["PixelData"].is_undefined_length = True

    making.change_all(exam, spoil)


def missing_slice(exam):
    (exam / "00008.dcm").unlink()


def contradicting_duplicate(exam):
    shutil.copy(exam / "00003.dcm", exam / "copy.dcm")

    def other(data: Dataset) -> None:
        data.PixelData = (np.frombuffer(data.PixelData, np.uint16) // 2).tobytes()

    making.change(exam / "copy.dcm", other)


def two_patients(exam):
    making.change(exam / "00003.dcm", lambda data: setattr(data, "PatientID", "OTHER-1"))


def slope_zero(exam):
    making.change_all(exam, lambda data: setattr(data, "RescaleSlope", 0))


def without_spacing(exam):
    making.change_all(exam, lambda data: data.pop("PixelSpacing"))


def segmented_elsewhere(exam):
    def move(data: Dataset) -> None:
        data.FrameOfReferenceUID = generate_uid()
        for group in (*data.PerFrameFunctionalGroupsSequence, *data.SharedFunctionalGroupsSequence):
            group.pop("DerivationImageSequence", None)
        data.pop("ReferencedSeriesSequence", None)

    making.change(exam / "seg.dcm", move)


def without_meta_header(exam):
    for path in exam.glob("0*.dcm"):
        dataset = pydicom.dcmread(path)
        bare = Dataset()
        bare.update({element.tag: element for element in dataset})
        bare.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False)


def mask_on_no_grid(exam):
    write_region(drawn(grid((16, 90, 96), (5.0, 4.0, 4.0), "x"), ANNA), exam / "sub mask.nii.gz")


def no_nifti_whatever_its_name(exam):
    (exam / "broken.nii.gz").write_bytes(b"no")


def odd_contour(exam):
    making.structure_set(exam)


def without_date_and_hospital(exam):
    absent = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "StudyTime", "InstitutionName")

    def strip(data: Dataset) -> None:
        for keyword in absent:
            data.pop(keyword, None)

    making.change_all(exam, strip)


REFUSED = [
    (truncate, "dicom.truncated"),
    (cut_in_header, "dicom.missing-uid"),
    (empty, "dicom.empty-file"),
    (text, "dicom.not-dicom"),
    (without_pixels, "dicom.missing-pixels"),
    (wrong_rows, "dicom.wrong-pixel-length"),
    (corrupt_jpeg, "dicom.corrupt-pixels"),
    (missing_slice, "dicom.missing-slice"),
    (contradicting_duplicate, "dicom.duplicate-uid"),
    (two_patients, "dicom.mixed-patients"),
    (slope_zero, "dicom.zero-slope"),
    (without_spacing, "dicom.missing-spacing"),
    (segmented_elsewhere, "dicom.other-frame-of-reference"),
    (no_nifti_whatever_its_name, "image.nifti-unreadable"),
    (mask_on_no_grid, "engine.mask-without-image"),
]
"""Ways to spoil an exam, each with the code of a refusal that says so."""
READ_ALL_THE_SAME = (without_meta_header, odd_contour, without_date_and_hospital)
PETS = {
    "without_dose": {"injected_dose_bq": None},
    "without_weight": {"weight_kg": None},
    "without_attenuation": {"attenuation_corrected": False, "corrections": ("DECY",)},
}
"""What is wrong with the facts of a PET, by its name."""


def numbered(number):
    return replace(ANNA, patient_id=f"KH-{80500 + number}", name=f"Number{number}^N")


@pytest.fixture(scope="module")
def delivery(tmp_path_factory):
    """A folder of exams of as many patients, each spoiled in another way and named by it. Read only."""
    root = tmp_path_factory.mktemp("delivery")
    for number, spoil in enumerate([*(one for one, _ in REFUSED), *READ_ALL_THE_SAME]):
        name = spoil.__name__
        ct(root / name, name=name, patient=numbered(number))
        spoil(root / name)
    for number, (name, facts) in enumerate(PETS.items(), start=50):
        pet(root / name, name=name, patient=numbered(number), facts=facts)
    for number, name in enumerate(("nothing_drawn", "organ_drawn"), start=60):
        geometry = ct(root / name, name=name, patient=numbered(number), lesion=False)
    write_region(drawn(geometry, ANNA), root / "organ_drawn" / "lung_left.nii.gz")
    return root


@pytest.fixture(scope="module")
def said_once():
    """What the command said of the delivery, for the tests that come after the one that gave it."""
    return {}


class Delivered:
    """What was said of a delivery, by the way in which an exam of it was spoiled."""

    def __init__(self, said):
        self.seen, self.by_code = said.json, said.refusals

    def exam(self, name):
        return next((one for one in self.seen["exams"] if one["uid"] == uid_of("study", name)), None)

    def lesions(self, name):
        return [lesion for series in self.exam(name)["series"] for lesion in series["lesions"]]

    def measured(self, name):
        return {one["key"]: one for lesion in self.lesions(name) for one in lesion["measurements"]}

    def values(self, name):
        return {key: one["value"] for key, one in self.measured(name).items()}

    def refusals(self, name):
        """Those of the exam, and those of the files in its folder that belong to no exam."""
        exam = self.exam(name)
        stray = [
            one
            for one in self.seen["refusals"]
            if one["study_uid"] == uid_of("study", name) or one["subject"].startswith(f"{name}/")
        ]
        return [*stray, *(() if exam is None else exam["refusals"])]


@pytest.fixture
def delivered(said_once, delivery, good, assess_json):
    """The delivery and the good exam, assessed in one run."""
    if not said_once:
        said_once["delivered"] = Delivered(assess_json(delivery, good))
    return said_once["delivered"]


@pytest.mark.parametrize(("spoil", "code"), REFUSED, ids=lambda value: getattr(value, "__name__", value))
def test_a_spoiled_exam_is_named_and_the_others_are_assessed(delivered, spoil, code):
    refusals = delivered.refusals(spoil.__name__)
    codes = {refusal["code"] for refusal in refusals}
    assert code in codes
    assert "engine.no-lesion" not in codes  # one was drawn; why it is of no use is said
    assert "engine.unexpected" not in delivered.by_code
    for refusal in refusals:
        assert refusal["reason"]
        assert refusal["remedy"]
        assert not refusal["subject"].startswith("/")


def test_what_is_spoiled_costs_the_good_exam_beside_it_nothing(delivered, good, assess_json):
    assert delivered.refusals("good") == []
    (alone,) = assess_json(good, "--workspace", "alone").json["exams"]
    assert delivered.values("good")["volume"] > 10
    assert delivered.exam("good")["series"][0]["lesions"] == alone["series"][0]["lesions"]


def measured(said, key):
    return [one for lesion in lesions_of(said) for one in lesion["measurements"] if one["key"] == key]


def test_files_without_a_meta_header_are_read_all_the_same(delivered):
    assert delivered.values("without_meta_header")["volume"] > 10
    assert delivered.refusals("without_meta_header") == []


@pytest.mark.parametrize("name", PETS)
def test_a_pet_that_can_give_no_suv_says_why_and_still_gives_a_size(delivered, name):
    found = delivered.measured(name)
    assert found["suv_max"]["value"] is None
    assert found["suv_max"]["no_value"]["reason"]
    assert found["suv_max"]["no_value"]["remedy"]
    assert found["longest_diameter"]["value"] > 20


def test_a_nifti_mask_on_a_grid_becomes_a_lesion_even_in_another_order_of_voxels(tmp_path, assess_json):
    geometry = ct(tmp_path / "exam", lesion=False)
    ct(tmp_path / "other", name="other", patient=BRUNO, lesion=False)
    region = drawn(geometry, ANNA)
    write_region(region, tmp_path / "exam" / "met in liver.nii.gz")
    straight = assess_json(tmp_path / "exam", tmp_path / "other")
    flipped = making.flipped(region)
    write_region(flipped, tmp_path / "exam" / "met in liver.nii.gz")
    turned = assess_json(tmp_path / "exam", tmp_path / "other")
    for said in (straight, turned):
        assert [lesion["label"] for lesion in lesions_of(said)] == ["met in liver"]
        assert "engine.mask-without-image" not in said.refusals
    assert measured(straight, "hu_mean") == measured(turned, "hu_mean")


@pytest.mark.parametrize("name", ["nothing_drawn", "organ_drawn"])
def test_an_exam_without_any_lesion_is_judged_and_says_so(delivered, name):
    assert delivered.lesions(name) == []
    assert "engine.no-lesion" in {refusal["code"] for refusal in delivered.refusals(name)}
    assert delivered.exam(name)["series"][0]["measurements"]
    assert delivered.exam(name)["findings"]


def test_a_nifti_mask_on_no_grid_is_named_once_and_costs_nothing(delivered):
    (refusal,) = delivered.by_code["engine.mask-without-image"]
    assert refusal["subject"] == "mask_on_no_grid/sub mask.nii.gz"
    assert len(delivered.lesions("mask_on_no_grid")) == 1
    assert len(delivered.lesions("good")) == 1


def test_a_nifti_mask_that_fits_two_exams_belongs_to_the_one_in_whose_folder_it_lies(tmp_path, assess_json):
    for name in ("first", "second"):
        geometry = ct(tmp_path / "all" / name, name=name, lesion=False)
    write_region(drawn(geometry, ANNA), tmp_path / "all" / "second" / "met.nii.gz")
    said = assess_json(tmp_path / "all")
    assert len(lesions_of(said)) == 1
    (tmp_path / "all" / "second" / "met.nii.gz").rename(tmp_path / "all" / "met.nii.gz")
    said = assess_json(tmp_path / "all")
    assert lesions_of(said) == []
    assert len(said.refusals["engine.mask-ambiguous"]) == 1


def test_an_odd_contour_costs_itself_only(delivered):
    labels = {lesion["label"] for lesion in delivered.lesions("odd_contour")}
    assert labels == {"Lesion 1", "GTV good"}
    assert [one for one in delivered.refusals("odd_contour") if one["code"].startswith("dicom.")]


def test_an_exam_without_date_and_hospital_is_an_exam(delivered):
    (undated,) = [one for one in delivered.seen["exams"] if one["site"] == ""]
    assert undated["uid"] == uid_of("study", "without_date_and_hospital")
    assert undated["day"] is None
    assert len(delivered.lesions("without_date_and_hospital")) == 1
    assert len(delivered.lesions("good")) == 1


def test_an_empty_folder_holds_no_exam(tmp_path, assess_json):
    (tmp_path / "empty").mkdir()
    said = assess_json(tmp_path / "empty", code=3)
    assert "engine.nothing-found" in said.err
    assert said.json["exams"] == []


def test_only_a_study_of_two_patients_is_no_empty_folder(exam, bingcheng):
    two_patients(exam)
    said = bingcheng("assess", exam, "--strict")
    assert said.code == 1
    assert "dicom.mixed-patients" in said.out


def test_a_path_that_does_not_exist(bingcheng, tmp_path):
    said = bingcheng("assess", tmp_path / "nowhere")
    assert said.code == 4
    assert "engine.no-such-path" in said.err
    assert not (tmp_path / "workspace" / "report").exists()


def test_an_unknown_protocol_is_an_error_that_lists_the_known_ones(exam, bingcheng):
    said = bingcheng("assess", exam, "--protocol", "no-such")
    assert said.code == 4
    assert "protocol.no-such-protocol" in said.err
    assert len(said.err.split(",")) > 3


def test_a_broken_protocol_file_is_named_with_its_line(exam, bingcheng, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('id = "own"\ntitle = 7\n')
    said = bingcheng("assess", exam, "--own-protocol", own)
    assert said.code == 4
    assert "own.toml" in said.err
    assert bingcheng("assess", exam, "--own-protocol", tmp_path / "absent.toml").code == 4


def test_an_own_protocol_may_not_take_the_name_of_another(exam, bingcheng, tmp_path):
    shipped = next(iter(sorted(making.library().glob("*.toml"))))
    said = bingcheng("assess", exam, "--own-protocol", shared_copy(shipped, tmp_path))
    assert said.code == 4
    assert "engine.protocol-taken" in said.err


def shared_copy(path, folder):
    return shutil.copy(path, folder / "own.toml")
