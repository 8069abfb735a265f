"""Names, numbers and hospitals of Chinese patients in every place that an object has: none is left, findings stay."""

from __future__ import annotations

import base64
import struct
import warnings

import pytest
from pydicom import Dataset
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from tests.archive.deidentify.making import KEY, ct, read, written
from tests.archive.deidentify.test_content import coded, item, report

from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.profile import Profile

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of values that are planted too long, or where none fit

STORED = "1.2.840.10008.5.1.4.1.1."
PROFILES = ("basic", "research-follow-up", "teaching")
WHO = (
    *("张三", "Zhang San", "ZHANGSAN", "zhang.san", "San Zhang", "ZHANG^SAN", "zhang_san"),
    *("13812345678", "138-1234-5678", "138 1234 5678", "13010219900101123X", "130102 19900101 123X"),
    *("河北四院", "省四院", "河北医科大学第四医院", "北京协和医院", "zhangsan@hospital.example", "ZY7730921"),
)
BASE64 = tuple(base64.b64encode(words.encode()).decode() for words in ("张三 13812345678", "Zhang San, MRN-7730921"))
CANARIES = (
    *("张三", "zhang", "三丰", "13812345678", "1234-5678", "1234 5678", "13010219900101123", "19900101"),
    *("四院", "协和", "第四医院", "@hospital", "zy7730921", "7730921", "huang"),
    *BASE64,
)
"""What must be nowhere in the bytes, in any way of writing it."""


def everybody():
    return " ".join((*WHO, *BASE64))


def patient(**changes):
    return ct(
        PatientName="Zhang^San=张^三=Zhang1 San1",
        PatientID="ZY7730921",
        SpecificCharacterSet="ISO_IR 192",
        InstitutionName="河北医科大学第四医院",
        **changes,
    )


def forms(words):
    """A text in each way of writing it, lower case where it has one."""
    yield words.lower().encode()
    for charset in ("gb18030", "utf-16-le", "utf-16-be", "big5"):
        try:
            yield words.lower().encode(charset)
        except UnicodeEncodeError:
            continue
    if len(words) > 3:
        yield base64.b64encode(words.encode()).rstrip(b"=").lower()


def left(result):
    """The canaries in the bytes of a result, and in its name."""
    found = result.data.lower() + result.name.encode()
    wide = found.replace(b"\0", b"")
    return [one for one in CANARIES if any(form in found or form in wide for form in forms(one))]


def cleaned(data, profile="research-follow-up"):
    if isinstance(data, Dataset):
        data = written(data)
    return Deidentifier(profile=Profile.named(profile), key=KEY).one(data)


def private(dataset, value, vr="UN", depth=3):
    """Three private sequences, one in the other, the innermost with a value."""
    inner = dataset
    for level in range(depth):
        inner.add_new(0x00290010 + level, "LO", f"SIEMENS CSA NON-IMAGE {level}" if level else "ZHANG SAN CREATOR")
        step = Dataset()
        inner.add(DataElement(0x00290000 | (0x10 + level) << 8 | 0x10, "SQ", Sequence([step])))
        inner[0x00290000 | (0x10 + level) << 8 | 0x10].is_undefined_length = True
        step.is_undefined_length_sequence_item = True
        inner = step
    inner.add_new(0x00290010, "LO", "SIEMENS MR HEADER")
    inner.add_new(0x00291008, vr, value)


def places():
    """Each place, with an object that has everybody in it."""
    said = everybody()
    yield "descriptions", patient(StudyDescription=said[:64], SeriesDescription=said[64:128], ImageComments=said)
    yield (
        "values over their length",
        patient(
            StudyDescription=said * 40,
            StationName=said * 9,
            AccessionNumber=said,
            ProtocolName=said * 300,
            StudyID=said,
        ),
    )
    yield (
        "technique",
        patient(
            ConvolutionKernel=said,
            SoftwareVersions=said,
            ManufacturerModelName=said,
            SequenceName=said[:60],
            FilterType=said,
        ),
    )
    for vr, value in (
        ("UN", said.encode()),
        ("OB", said.encode("utf-16-le")),
        ("OB", said.encode("gb18030") + b"\0"),
        ("OB", base64.b64encode(said.encode())),
        ("LO", said),
        ("OW", said.encode("utf-16-be")),
    ):
        made = patient()
        private(made, value if vr == "LO" else value + bytes(len(value) % 2), vr)
        yield f"private {vr}", made
    made = patient()
    made.AcquisitionContextSequence = Sequence([item("TEXT", ("121106", "Comment"), TextValue=said)])
    made.RequestAttributesSequence = Sequence([coded("1", said[:64], "99HB4Y")])
    made.RequestAttributesSequence[0].ScheduledProcedureStepDescription = said
    made.add_new(0x00091001, "UT", said)
    yield "sequences", made
    made = patient()
    made.DeviceSerialNumber = "张三"
    made.ReferringPhysicianName = "Huang^Fei\\Zhang^San=张^三"
    made.ImageComments = "Dr Huang, 黄飞 told 张三丰 and Zhang San: liver lesion 12 mm"
    yield "several names", made


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    PLACES = list(places())


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("place", "dataset"), PLACES, ids=[f"{n}-{one[0]}" for n, one in enumerate(PLACES)])
def test_nobody_is_left_in_an_image(place, dataset, profile):
    result = cleaned(dataset, profile)
    assert result.state is State.DONE, (place, result.problem)
    assert left(result) == []


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("implicit", [False, True])
def test_nobody_is_left_in_what_stands_before_behind_and_between(profile, implicit):
    dataset = patient(DataSetTrailingPadding=everybody().encode() + b" " * (len(everybody().encode()) % 2))
    if implicit:
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
    dataset.file_meta.ImplementationVersionName = "ZHANGSAN"
    dataset.file_meta.SourceApplicationEntityTitle = "ZHANGSAN"
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.3"
    dataset.file_meta.PrivateInformation = everybody().encode() + b" " * (len(everybody().encode()) % 2)
    data = written(dataset, preamble="张三 zhang.san 13812345678".encode().ljust(128, b"\0"))
    result = cleaned(data, profile)
    assert result.state is State.DONE, result.problem
    assert left(result) == []


@pytest.mark.parametrize(
    "behind", ["张三 13812345678".encode(), b"ZHANG SAN " * 3, b"\xfc\xff\xfc\xffOB\0\0\x05\0\0\0Zhang"]
)
def test_what_stands_behind_the_last_element_leaves_with_nobody(behind):
    result = cleaned(written(patient(), trailing=behind + bytes(len(behind) % 2)))
    assert result.state is State.REFUSED or left(result) == []


def without_pixels(**changes):
    dataset = patient(**changes)
    for name in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        del dataset[name]
    return dataset


DOCUMENTS = {"104.1": "application/pdf", "104.2": "text/XML", "104.3": "model/stl", "104.4": "model/obj"}


@pytest.mark.parametrize("kind", [*DOCUMENTS, "66", "88.1.x"])
def test_documents_and_raw_data_leave_in_no_profile(kind):
    dataset = without_pixels(SOPClassUID=STORED + kind.removesuffix(".x"), Modality="DOC")
    dataset.EncapsulatedDocument = everybody().encode() + b" " * (len(everybody().encode()) % 2)
    dataset.MIMETypeOfEncapsulatedDocument = DOCUMENTS.get(kind, "text/plain")
    dataset.DocumentTitle = everybody()
    result = cleaned(dataset)
    assert result.state is State.REFUSED or left(result) == []
    assert (result.state is State.REFUSED) == (kind in DOCUMENTS or kind == "66")


def test_the_folder_of_a_disc_is_refused():
    dataset = without_pixels(SOPClassUID="1.2.840.10008.1.3.10")
    record = Dataset()
    record.DirectoryRecordType, record.PatientName, record.PatientID = "PATIENT", "Zhang^San", "ZY7730921"
    record.ReferencedFileID = ["ZHANGSAN", "IM1"]
    dataset.FileSetID, dataset.DirectoryRecordSequence = "ZHANGSAN", Sequence([record])
    assert cleaned(dataset).state is State.REFUSED


@pytest.mark.parametrize("profile", PROFILES)
def test_nobody_is_left_in_the_channels_of_a_waveform(profile):
    dataset = without_pixels(SOPClassUID=STORED + "9.1.1", Modality="ECG")
    channel = Dataset()
    channel.ChannelLabel, channel.ChannelSourceSequence = (
        everybody()[:16],
        Sequence([coded("1", "张三 lead", "99ZHANG")]),
    )
    channel.ChannelTimeSkew, channel.WaveformBitsStored = "0", 16
    group = Dataset()
    group.MultiplexGroupLabel = "Zhang San 河北四院"
    group.ChannelDefinitionSequence = Sequence([channel])
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.WaveformData = struct.pack("<8h", *range(8))
    group["WaveformData"].VR = "OW"
    dataset.WaveformSequence = Sequence([group])
    dataset.WaveformAnnotationSequence = Sequence([Dataset()])
    dataset.WaveformAnnotationSequence[0].UnformattedTextValue = everybody()
    result = cleaned(dataset, profile)
    assert result.state is State.DONE, result.problem
    assert left(result) == []
    assert read(result.data).WaveformSequence[0].WaveformData == group.WaveformData, "the curve stays"


@pytest.mark.parametrize("profile", PROFILES)
def test_nobody_is_left_in_a_structure_set_and_a_plan(profile):
    structures = without_pixels(SOPClassUID=STORED + "481.3", Modality="RTSTRUCT")
    roi = Dataset()
    roi.ROINumber, roi.ROIName, roi.ROIDescription = 1, "GTV 张三", everybody()
    observation = Dataset()
    observation.ObservationNumber, observation.ReferencedROINumber = 1, 1
    observation.ROIObservationLabel, observation.ROIInterpreter = "Zhang San GTV", "Huang^Fei"
    observation.RTROIInterpretedType = "GTV"
    structures.StructureSetLabel, structures.StructureSetName = "ZHANGSAN", everybody()[:64]
    structures.StructureSetROISequence = Sequence([roi])
    structures.RTROIObservationsSequence = Sequence([observation])
    plan = without_pixels(SOPClassUID=STORED + "481.5", Modality="RTPLAN")
    beam = Dataset()
    beam.BeamNumber, beam.BeamName, beam.BeamDescription = 1, "zhang.san", everybody()
    beam.TreatmentMachineName = "河北四院 1"
    plan.RTPlanLabel, plan.RTPlanName, plan.RTPlanDescription = "ZHANGSAN", "张三", everybody()
    plan.BeamSequence = Sequence([beam])
    for dataset in (structures, plan):
        result = cleaned(dataset, profile)
        assert result.state is State.DONE, result.problem
        assert left(result) == []
    if profile != "basic":
        assert "GTV" in read(cleaned(structures, profile).data).StructureSetROISequence[0].ROIName


@pytest.mark.parametrize("profile", PROFILES)
def test_nobody_is_left_in_what_is_drawn_and_written_over_an_image(profile):
    dataset = without_pixels(SOPClassUID=STORED + "11.1", Modality="PR")
    words = Dataset()
    words.UnformattedTextValue = everybody()
    words.AnchorPoint, words.AnchorPointAnnotationUnits, words.AnchorPointVisibility = [1, 2], "PIXEL", "Y"
    shape = Dataset()
    shape.GraphicAnnotationUnits, shape.GraphicDimensions, shape.NumberOfGraphicPoints = "PIXEL", 2, 2
    shape.GraphicData, shape.GraphicType = [1, 2, 3, 4], "POLYLINE"
    layer = Dataset()
    layer.GraphicLayer, layer.GraphicLayerOrder, layer.GraphicLayerDescription = "ZHANG SAN", 1, everybody()[:60]
    drawn = Dataset()
    drawn.GraphicLayer = "ZHANG SAN"
    drawn.TextObjectSequence, drawn.GraphicObjectSequence = Sequence([words]), Sequence([shape])
    drawn.add_new(0x00700295, "LO", "zhang.san")
    dataset.GraphicAnnotationSequence, dataset.GraphicLayerSequence = Sequence([drawn]), Sequence([layer])
    dataset.ContentLabel, dataset.ContentDescription = "ZHANG_SAN", everybody()[:64]
    dataset.ContentCreatorName = "Huang^Fei"
    dataset.ICCProfile = b"desc" + everybody().encode() + b" " * (len(everybody().encode()) % 2)
    result = cleaned(dataset, profile)
    assert result.state is State.DONE, result.problem
    assert left(result) == []


FINDINGS = {
    "Zhang San: liver lesion segment 4, 12 mm, washout": ("liver", "lesion", "12 mm", "washout"),
    "张三，肝S4占位，强化，3.2cm，电话13812345678": ("肝", "占位", "强化", "3.2cm"),
    "ZHANGSAN 65Y lung nodule 8 mm 2023-05-01 tel 138-1234-5678": ("lung", "nodule", "8 mm"),
    "San Zhang (ZY7730921) 河北四院 转移瘤 右肺": ("转移", "右肺"),
}


@pytest.mark.parametrize("said", FINDINGS)
@pytest.mark.parametrize("profile", ["research-follow-up", "teaching"])
def test_findings_stay_among_names_in_a_report(said, profile):
    dataset = report(SpecificCharacterSet="ISO_IR 192", PatientName="Zhang^San=张^三", PatientID="ZY7730921")
    dataset.ContentSequence.append(item("TEXT", ("121071", "Finding"), TextValue=said))
    result = cleaned(dataset, profile)
    assert result.state is State.DONE, result.problem
    assert left(result) == []
    stays = read(result.data).ContentSequence[-1].TextValue
    assert [one for one in FINDINGS[said] if one not in stays] == []


ESCAPED = {
    "\\ISO 2022 IR 58": b"Zhang^San=\x1b$)A\xd5\xc5^\x1b$)A\xc8\xfd",
    "\\ISO 2022 IR 87": b"Zhang^San=\x1b$B\x44\x25^\x1b(B\x1b$B\x3b\x30\x1b(B",
    "GB18030": "Zhang^San=张^三".encode("gb18030"),
    "ISO_IR 192": "Zhang^San=张^三".encode(),
    "ISO_IR 100": "Zhang^San=张^三".encode("gb18030"),
}
"""The name as character sets write it, one with escapes in its midst, one that is not what the header says."""


@pytest.mark.parametrize("charset", ESCAPED)
@pytest.mark.parametrize("profile", PROFILES)
def test_the_groups_of_a_name_are_nowhere_in_text_whatever_the_character_set(charset, profile):
    dataset = ct(SpecificCharacterSet=charset.split("\\"))
    for tag, vr in ((0x00081030, "LO"), (0x0008103E, "LO"), (0x00100010, "PN")):
        raw = ESCAPED[charset]
        raw += b" " * (len(raw) % 2)
        dataset[tag] = RawDataElement(Tag(tag), vr, len(raw), raw, 0, False, True)
    result = cleaned(dataset, profile)
    assert result.state is State.DONE, result.problem
    head = result.data[: result.data.index(b"\xe0\x7f\x10\x00")].lower()
    for one in (b"zhang", "张".encode(), "张".encode("gb18030"), b"\x44\x25", b"\x3b\x30\x1b", b"\x1b"):
        assert one not in head, one


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("河北四院 CT1", "CT1"),
        ("CT2 省四院放疗科", "CT2"),
        ("协和 CT3", "CT3"),
        ("北京协和-CT3", "-CT3"),
        ("医大二院", "Removed"),
        ("加速器2", "加速器2"),
    ],
)
def test_a_device_that_stays_does_not_name_its_hospital(said, stays):
    dataset = ct(SpecificCharacterSet="ISO_IR 192", InstitutionName="北京协和医院", StationName=said)
    found = read(cleaned(dataset).data)
    assert found.StationName == stays
    assert "InstitutionName" not in found or not found.InstitutionName


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        *(("ZHANGSAN1", "1"), ("CT2ZHANG", "CT2"), ("ZHANG2024", "2024"), ("XZHANGSANX", "X X"), ("QUIXWORTH77", "77")),
        *(("SAN7", "7"), ("zhang_san_ct", "_ _ct"), ("张三1号机", "1号机"), ("CT张三", "CT")),
        *(("İZHANGSANİ 1", "i̇ i̇ 1"),),
        *(("PHILIPS CT1", "PHILIPS CT1"), ("SANTA 2", "SANTA 2")),
    ],
)
def test_digits_and_letters_beside_a_name_hide_it_in_no_device(said, stays):
    dataset = patient(StationName=said, ReferringPhysicianName="Quixworth^Philip", ManufacturerModelName=said)
    found = cleaned(dataset)
    assert found.state is State.DONE, found.problem
    assert read(found.data).StationName == stays


@pytest.mark.parametrize("name", ["李新发", "李^新发", "欧阳新发", "新发"])
def test_a_given_name_that_is_a_word_of_findings_goes_too(name):
    dataset = ct(SpecificCharacterSet="ISO_IR 192", PatientName=name, StudyDescription=f"{name} 新发 肝癌")
    assert read(cleaned(dataset).data).StudyDescription == "肝癌"


def test_the_factors_of_a_scanner_stay_though_the_patient_is_called_like_its_maker():
    dataset = ct(PatientName="Philip^Andrew", Modality="PT")
    dataset.add_new(0x70530010, "LO", "Philips PET Private Group")
    dataset.add_new(0x70531000, "DS", "0.000551")
    assert read(cleaned(dataset).data)[0x70531000].value == 0.000551
