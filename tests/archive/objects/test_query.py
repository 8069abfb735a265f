"""What a search finds: DICOM's matching, on both databases."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from sqlalchemy import create_engine, select
from tests.archive.conftest import empty_database
from tests.archive.objects.conftest import FROM, SPACE
from tests.archive.objects.sent import dataset, file, item, written

from bingcheng.archive.objects.attributes import Level, can_match
from bingcheng.archive.objects.header import study_facts
from bingcheng.archive.objects.index import study_values
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.query import Query, conditions
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.workspace import Workspace
from bingcheng.archive.workspace_tables import lacks
from bingcheng.core.errors import InputError

CASE = "case/7"
NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request, tmp_path_factory):
    """Four studies, which no test changes; the last is a case in a space of its own."""
    workspace = Workspace.open(tmp_path_factory.mktemp("searched"), empty_database(request))
    anywhere = Objects.open(workspace)
    studies = [
        ("1.1", {"PatientName": "Wang^XiaoDong=王^小东", "StudyDate": "20260105", "StudyTime": "101500"}),
        (
            "1.2",
            {
                "PatientName": "O'Neil^Mary Ann",
                "PatientID": "p1",
                "StudyDate": "20260210",
                "StudyTime": "235959.5",
                "AccessionNumber": "B%_2",
                "Modality": "MR",
                "StudyDescription": "Liver MR",
            },
        ),
        ("1.3", {"PatientName": "", "PatientID": "Z[9]", "StudyDate": "", "StudyTime": "", "Modality": "PT"}),
    ]
    for study, attributes in studies:
        anywhere.receive(file(study=study, series=f"{study}.1", **attributes), space=SPACE, origin=FROM)
    extra = file(
        2,
        study="1.1",
        series="1.1.2",
        Modality="SEG",
        SeriesNumber=5,
        SeriesDescription="tumour",
        NumberOfFrames=3,
        RequestAttributesSequence=[item(ScheduledProcedureStepID="STEP1", RequestedProcedureID="RP1")],
        PerformedProcedureStepStartDate="20260106",
    )
    anywhere.receive(extra, space=SPACE, origin=FROM)
    anywhere.receive(file(study="1.4", series="1.4.1", StudyDate="20260301"), space=CASE, origin=FROM)
    yield anywhere
    anywhere.close()
    workspace.close()


def uids(store, level=Level.STUDY, spaces=(SPACE,), fuzzy=False, **match):
    query = Query(match=match, fuzzy=fuzzy)
    find = {Level.STUDY: store.studies, Level.SERIES: store.series, Level.INSTANCE: store.instances}[level]
    name = {Level.STUDY: "study_uid", Level.SERIES: "series_uid", Level.INSTANCE: "sop_uid"}[level]
    found = [getattr(row, name) for row in find(query, spaces)]
    assert store.count(level, query, spaces) == len(found)
    return found


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, ["1.2", "1.1", "1.3"]),
        ({"PatientName": ""}, ["1.2", "1.1", "1.3"]),
        ({"PatientName": "*"}, ["1.2", "1.1", "1.3"]),
        ({"PatientName": "wang^xiaodong"}, ["1.1"]),
        ({"PatientName": "WANG^*"}, ["1.1"]),
        ({"PatientName": "王^小东"}, ["1.1"]),
        ({"PatientName": "*小*"}, ["1.1"]),
        ({"PatientName": "王^??"}, ["1.1"]),
        ({"PatientName": "王^?"}, []),
        ({"PatientName": "wang*=王*"}, ["1.1"]),
        ({"PatientName": "wang*=李*"}, []),
        ({"PatientName": "wang"}, []),
        ({"PatientName": "wang^xiaodong^*"}, ["1.1"]),
        ({"PatientName": "o'neil^mary ann"}, ["1.2"]),
        ({"PatientID": "P1"}, ["1.1"]),
        ({"PatientID": "p1"}, ["1.2"]),
        ({"PatientID": "?1"}, ["1.2", "1.1"]),
        ({"PatientID": "Z[9]"}, ["1.3"]),
        ({"PatientID": "*[9]"}, ["1.3"]),
        ({"AccessionNumber": "B%_?"}, ["1.2"]),
        ({"AccessionNumber": "?%_2"}, ["1.2"]),
        ({"AccessionNumber": "A%*"}, []),
        ({"StudyDate": "20260105"}, ["1.1"]),
        ({"StudyDate": "20260105-20260209"}, ["1.1"]),
        ({"StudyDate": "-20260209"}, ["1.1"]),
        ({"StudyDate": "20260106-"}, ["1.2"]),
        ({"StudyDate": "-"}, ["1.2", "1.1"]),
        ({"StudyDate": "2026.01.05"}, ["1.1"]),
        ({"StudyDate": "nonsense"}, []),
        ({"StudyDate": "20260105-nonsense"}, []),
        ({"StudyTime": "1015"}, ["1.1"]),
        ({"StudyTime": "10"}, ["1.1"]),
        ({"StudyTime": "1016-"}, ["1.2"]),
        ({"StudyTime": "-101459"}, []),
        ({"StudyTime": "235959"}, ["1.2"]),
        ({"ModalitiesInStudy": "SEG"}, ["1.1"]),
        ({"ModalitiesInStudy": ["MR", "SEG"]}, ["1.2", "1.1"]),
        ({"ModalitiesInStudy": "SE"}, []),
        ({"ModalitiesInStudy": "M?"}, ["1.2"]),
        ({"StudyInstanceUID": ["1.1", "1.3", "1.9"]}, ["1.1", "1.3"]),
        ({"StudyDescription": "Liver*", "ModalitiesInStudy": "MR"}, ["1.2"]),
        ({"StudyDescription": "Liver*", "ModalitiesInStudy": "CT"}, []),
        ({"ReferringPhysicianName": "li^*"}, ["1.2", "1.1", "1.3"]),
        ({"PatientSex": "M", "PatientBirthDate": "19700101", "StudyID": "S1"}, ["1.2", "1.1", "1.3"]),
        ({"IssuerOfPatientID": "x"}, []),
    ],
)
def test_studies_match_as_the_standard_says(store, match, expected):
    assert uids(store, **match) == expected


def test_series_and_instances_match_by_their_own_attributes_and_those_above(store):
    series, instance = Level.SERIES, Level.INSTANCE
    assert uids(store, series, Modality="SEG") == ["1.1.2"]
    assert uids(store, series, StudyInstanceUID="1.1") == ["1.1.1", "1.1.2"]
    assert uids(store, series, SeriesNumber="5", PatientID="P1") == ["1.1.2"]
    assert uids(store, series, SeriesNumber="five") == []
    assert uids(store, series, ScheduledProcedureStepID="STEP1", RequestedProcedureID="RP*") == ["1.1.2"]
    assert uids(store, series, PerformedProcedureStepStartDate="20260101-20260110") == ["1.1.2"]
    assert uids(store, series, BodyPartExamined="CHEST", Manufacturer="ACME", SeriesDescription="t*") != []
    assert uids(store, instance, StudyInstanceUID="1.1") == ["1.1.1.1", "1.1.2.2"]
    assert uids(store, instance, NumberOfFrames="3") == ["1.1.2.2"]
    assert uids(store, instance, SOPInstanceUID=["1.1.1.1", "1.2.1.1"], Modality="MR") == ["1.2.1.1"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("xiao", ["1.1"]), ("mary neil", []), ("mary o'neil", ["1.2"]), ("ann", ["1.2"]), ("iao", []), ("小", ["1.1"])],
)
def test_fuzzy_names_match_by_the_beginnings_of_their_words(store, asked, expected):
    if asked == "xiao":
        assert uids(store, fuzzy=True, PatientName="xiao wang") == expected
    assert uids(store, fuzzy=True, PatientName=asked) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [("小东", ["1.1"]), ("DONG chest", ["1.1"]), ("z[9]", ["1.3"]), ("b%_2", ["1.2"]), ("dong liver", []), ("*", 3)],
)
def test_people_find_studies_by_words(store, words, expected):
    found = [row.study_uid for row in store.studies(Query(words=words), [SPACE])]
    assert found == expected or len(found) == expected


def test_pages_follow_each_other_newest_first_over_several_spaces(store):
    spaces = [SPACE, CASE]
    whole = [row.study_uid for row in store.studies(Query(), spaces)]
    assert whole == ["1.4", "1.2", "1.1", "1.3"]
    pages = [store.studies(Query(limit=1, offset=n), spaces) for n in range(5)]
    assert [row.study_uid for page in pages for row in page] == whole
    assert store.count(Level.STUDY, Query(limit=1, offset=2), spaces) == 4
    assert [row.study_uid for row in store.studies(Query(limit=2, offset=1), [CASE, SPACE])] == ["1.2", "1.1"]


def test_rows_tell_the_attributes_that_the_standard_demands(store):
    (study,) = store.studies(Query(match={"StudyInstanceUID": "1.1"}), [SPACE])
    assert study.attributes["PatientName"] == "Wang^XiaoDong=王^小东"
    assert study.attributes["ModalitiesInStudy"] == "CT\\SEG"
    assert study.attributes["NumberOfStudyRelatedSeries"] == 2
    assert study.attributes["NumberOfStudyRelatedInstances"] == 2
    (series,) = store.series(Query(match={"SeriesInstanceUID": "1.1.2"}), [SPACE])
    assert series.attributes["NumberOfSeriesRelatedInstances"] == 1
    assert series.attributes["SeriesNumber"] == 5
    assert series.attributes["PatientID"] == "P1"
    (instance,) = store.instances(Query(match={"SOPInstanceUID": "1.1.2.2"}), [SPACE])
    assert instance.attributes["NumberOfFrames"] == 3
    assert instance.attributes["Rows"] == 8
    assert instance.attributes["SOPClassUID"] == "1.2.840.10008.5.1.4.1.1.2"


def test_what_can_not_be_searched_by_is_refused_without_repeating_it(store):
    for match in ({"Modality": "CT"}, {"Wang^XiaoDong": "x"}, {"PatientAge": "1"}):
        with pytest.raises(InputError, match="cannot-match") as raised:
            store.studies(Query(match=match), [SPACE])
        assert "Wang" not in str(raised.value)
    assert not can_match(Level.STUDY, "Modality")
    assert can_match(Level.SERIES, "PatientName")


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("GB18030", "Wang^XiaoDong=王^小东"),
        ("GB18030", "Zhang^Wei=張^煒"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("ISO_IR 100", "Buc^Jérôme"),
        ("ISO_IR 144", "Люкceмбypг"),
    ],
)
def test_names_are_decoded_whatever_their_character_set(objects, charset, name):
    data = written(dataset(SpecificCharacterSet=charset, PatientName=name, InstitutionName=None))
    objects.receive(data, space=SPACE, origin=FROM)
    (study,) = objects.studies(Query(match={"PatientName": name.rstrip("=")}), [SPACE])
    assert study.attributes["PatientName"].rstrip("=") == name.rstrip("=")
    for group in filter(None, name.split("=")):
        assert objects.count(Level.STUDY, Query(match={"PatientName": group[:2] + "*"}), [SPACE]) == 1


def test_a_name_that_switches_to_simplified_chinese_by_escape_sequences_is_decoded(objects):
    # The example of PS3.5 annex K.2.
    raw = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="
    held = dataset(SpecificCharacterSet=["", "ISO 2022 IR 58"], PatientName="x" * len(raw))
    objects.receive(written(held).replace(b"x" * len(raw), raw), space=SPACE, origin=FROM)
    (study,) = objects.studies(Query(match={"PatientName": "张^小东"}), [SPACE])
    assert study.attributes["PatientName"] == "Zhang^XiaoDong=张^小东="
    (line,) = objects.metadata(objects.instances_of([SPACE], study.study_uid))
    assert json.loads(line)["00100010"]["Value"] == [{"Alphabetic": "Zhang^XiaoDong", "Ideographic": "张^小东"}]


@pytest.mark.parametrize("rights", ["all", "none of its own"])
def test_a_server_finds_pieces_of_words_by_an_index_if_it_may_make_one(tmp_path, postgresql_server, rights):
    name = f"trigrams_{rights.split()[0]}"
    may = (
        f"{postgresql_server}/{name}"
        if rights == "all"
        else f"{postgresql_server}/{name}".replace("bingcheng@", "plain@")
    )
    if not make_database(postgresql_server, name, owner=rights == "all"):
        pytest.skip("the server has no trigrams")
    workspace = Workspace.open(tmp_path / "workspace", may)
    objects = Objects.open(workspace)
    objects.receive(file(), space=SPACE, origin=FROM)
    found = [objects.studies(Query(words=word), [SPACE]) for word in ("dong", "小东", "nobody")]
    assert [len(one) for one in found] == [1, 1, 0]
    with workspace.reading() as connection:
        names = set(connection.exec_driver_sql("SELECT indexname FROM pg_indexes").scalars())
    assert {"stored_study_words_key", "stored_study_modalities_key"} & names == (
        {"stored_study_words_key", "stored_study_modalities_key"} if rights == "all" else set()
    )
    assert "stored_study_pairs" in names  # it needs no extension
    objects.close()
    workspace.close()


def make_database(server: str, name: str, *, owner: bool) -> bool:
    """Make a database, in which `plain` may make tables and no extension; whether the server has trigrams."""
    for database, orders in (
        ("postgres", ["CREATE ROLE plain LOGIN"] * (not owner)),
        ("postgres", [f"CREATE DATABASE {name}"]),
        (name, ["GRANT ALL ON SCHEMA public TO plain"] * (not owner)),
    ):
        engine = create_engine(f"{server}/{database}", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for order in orders:
                connection.exec_driver_sql(order)
            known = connection.exec_driver_sql("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'").first()
        engine.dispose()
    return known is not None


@pytest.mark.parametrize("fuzzy", [False, True])
@pytest.mark.parametrize(
    ("dialect", "name", "asked"),
    [
        ("postgresql", "东", True),
        ("postgresql", "d", False),
        ("postgresql", "小东", True),
        ("postgresql", "*li*", False),
        ("postgresql", "王小东", True),
        ("postgresql", "xiaodong", True),
        ("sqlite", "小东", True),
        ("sqlite", "xiaodong", True),
    ],
)
def test_what_follows_from_a_name_is_asked_only_where_it_rules_studies_out(dialect, name, asked, fuzzy):
    """A server without an index for it, as for two letters, would expect next to no studies, and read all of them."""
    query = Query(match={"PatientName": name}, fuzzy=fuzzy)
    (condition,) = conditions(query, Level.STUDY, dialect)
    assert ("words_key" in str(condition)) is asked


def test_a_server_finds_each_piece_of_words_wherever_it_begins(tmp_path, postgresql):
    workspace = Workspace.open(tmp_path / "workspace", postgresql)
    objects = Objects.open(workspace)
    name = "Ouyang^XiaoDong=\N{CJK UNIFIED IDEOGRAPH-20BB7}阳^小东"
    objects.receive(file(PatientName=name, StudyDescription="Liver 100% _x"), space=SPACE, origin=FROM)
    words = "ouyang^xiaodong|\N{CJK UNIFIED IDEOGRAPH-20BB7}阳^小东|p1|a1|"
    for length in range(1, 7):
        for begin in range(len(words) - length + 1):
            piece = words[begin : begin + length]
            if "^" not in piece:
                assert objects.studies(Query(words=piece), [SPACE]), piece
    for piece in ("%", "_", "0%", "_x", "liver 小东", "dong ou"):
        assert objects.studies(Query(words=piece), [SPACE]), piece
    for piece in ("鑫", "东小", "xd", "gx", "%_", "小东 鑫鑫", "\\\\"):
        assert not objects.studies(Query(words=piece), [SPACE]), piece
    objects.close()
    workspace.close()


def test_a_server_that_nobody_has_looked_for_words_in_reads_the_index_of_pairs(tmp_path, postgresql):
    workspace = Workspace.open(tmp_path / "workspace", postgresql)
    rows = [
        {
            **study_values(study_facts({"PatientName": f"Wang^Xiao{n}=王^小{n}"}), SPACE, f"1.2.{n}", NOON),
            "modalities_key": "\\CT\\",
        }
        for n in range(4000)
    ]
    with workspace.writing() as connection:
        connection.execute(stored_study.insert(), rows)
    with workspace.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE stored_study")
    asked = select(stored_study.c.id).where(*conditions(Query(words="鑫鑫"), Level.STUDY, "postgresql"))
    with workspace.reading() as connection:
        said = asked.compile(connection, compile_kwargs={"literal_binds": True})
        plan = "".join(connection.exec_driver_sql(f"EXPLAIN {said}").scalars())
    assert "stored_study_pairs" in plan
    workspace.close()


def test_a_workspace_of_an_earlier_release_gets_the_index_of_pairs(tmp_path, postgresql):
    workspace = Workspace.open(tmp_path / "workspace", postgresql)
    with workspace.writing() as connection:
        connection.exec_driver_sql("DROP INDEX stored_study_pairs")
    workspace.close()
    for _ in range(2):
        workspace = Workspace.open(tmp_path / "workspace", postgresql)
        with workspace.reading() as connection:
            names = set(connection.exec_driver_sql("SELECT indexname FROM pg_indexes").scalars())
            assert not lacks(connection)
        assert "stored_study_pairs" in names
        workspace.close()
