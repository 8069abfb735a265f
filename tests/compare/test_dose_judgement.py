from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest
from tests.compare.dose_records import hospitals, record

from bingcheng.compare.dose_judgement import judged, judged_by_published, judged_sites
from bingcheng.compare.dose_overview import dose_overview
from bingcheng.compare.dose_published import DoseRules, PublishedLevel, dose_rules, dose_rules_from
from bingcheng.compare.dose_record import Basis, DoseQuantity
from bingcheng.compare.dose_reference import reference_levels
from bingcheng.compare.dose_verdict import DoseVerdict
from bingcheng.core.errors import CatalogueError, Owner
from bingcheng.core.finding import Level, Outcome, Trust

DOSES = [float(dose) for dose in range(5, 16)]
LEVELS = reference_levels(hospitals(DOSES))  # 25th 7.5, 50th 10, 75th 12.5 mGy


def own(one):
    return next(judgement for judgement in judged(one, LEVELS) if judgement.quantity is DoseQuantity.CTDI_VOL)


def published(**facts: object) -> PublishedLevel:
    given = {
        "id": "x",
        "authority": "Land",
        "year": 2020,
        "regions": ("abdomen",),
        "quantity": "ctdi_vol",
        "phantom_cm": 32.0,
        "drl": 9.0,
        "source": "its journal",
        "trust": Trust.VERIFIED,
        **facts,
    }
    return PublishedLevel.model_validate(given)


@pytest.mark.parametrize(
    ("dose", "verdict"),
    [
        (12.6, DoseVerdict.ABOVE),
        (12.5, DoseVerdict.USUAL),
        (7.5, DoseVerdict.USUAL),
        (7.4, DoseVerdict.LOW),
    ],
)
def test_a_dose_is_above_the_75th_low_under_the_25th_and_usual_between(dose, verdict):
    assert own(record("H1", dose)).verdict is verdict


def test_the_sentence_names_value_level_region_and_size():
    told = str(own(record("H1", 18.0)).sentence)
    assert told == (
        "CTDIvol 18 mGy is above the diagnostic reference level of 12.5 mGy (hospitals compared here)"
        " for abdomen, Dw 25 to 29 cm."
    )


def test_who_should_look_depends_on_the_verdict():
    assert own(record("H1", 18.0)).owner is Owner.TECHNOLOGIST
    assert own(record("H1", 3.0)).owner is Owner.RADIOLOGIST
    assert "image quality" in str(own(record("H1", 3.0)).sentence)
    assert not own(record("H1", 10.0)).asks


def test_a_finding_of_dose_never_gates():
    finding = own(record("H1", 18.0)).finding()
    assert (finding.outcome, finding.level, finding.gates) == (Outcome.FAIL, Level.RECOMMENDED, False)
    assert finding.distance == pytest.approx(5.5)
    assert own(record("H1", 3.0)).finding().distance == pytest.approx(4.5)


def test_a_provisional_level_judges_nobody_but_shows_its_number():
    few = reference_levels(hospitals(DOSES[:3]))
    judgement = judged(record("H1", 99.0), few)[0]
    assert judgement.verdict is DoseVerdict.UNKNOWN
    assert judgement.reference == pytest.approx(6.5)
    assert "3 hospitals" in str(judgement.sentence)
    assert {site.verdict for site in judged_sites(few[0])} == {DoseVerdict.UNKNOWN}


@pytest.mark.parametrize(
    ("lacking", "owner"),
    [
        ({"phantom_cm": None}, Owner.VENDOR),
        ({"diameter_cm": None}, Owner.TECHNOLOGIST),
        ({"values": {}}, Owner.TECHNOLOGIST),
    ],
)
def test_what_lacks_phantom_size_or_value_is_unknown_and_says_who_can_mend_it(lacking, owner):
    judgement = own(record("H1", 99.0, **lacking))
    assert judgement.verdict is DoseVerdict.UNKNOWN
    assert judgement.owner is owner
    assert judgement.finding().outcome is Outcome.UNKNOWN


def test_an_estimate_is_judged_only_where_its_uncertainty_leaves_no_doubt():
    close = record("H1", 13.0, basis=Basis.ESTIMATED, uncertainty=1.0)
    far = record("H1", 18.0, basis=Basis.ESTIMATED, uncertainty=1.0)
    assert own(close).verdict is DoseVerdict.UNKNOWN
    assert own(far).verdict is DoseVerdict.ABOVE
    assert str(own(far).sentence).startswith("estimated CTDIvol")


def test_a_hospital_above_the_level_is_told_to_optimise():
    (level,) = LEVELS
    by_site = {one.site: one for one in judged_sites(level)}
    assert by_site["H10"].verdict is DoseVerdict.ABOVE
    assert by_site["H10"].owner is Owner.PHYSICIST
    assert by_site["H00"].verdict is DoseVerdict.LOW
    assert by_site["H05"].verdict is DoseVerdict.USUAL


def test_published_levels_judge_adults_only():
    grown = judged(record("H1", 12.0), (), [published()])[-1]
    assert (grown.verdict, grown.whose) == (DoseVerdict.ABOVE, "Land 2020")
    for age in (None, 9.0):
        assert judged(record("H1", 12.0, age_a=age), (), [published()])[-1].verdict is DoseVerdict.UNKNOWN


def test_an_unverified_published_level_judges_nothing_and_is_marked():
    level = published(trust=Trust.UNVERIFIED)
    judgement = judged(record("H1", 12.0), (), [level])[-1]
    assert (judgement.verdict, judgement.trust) == (DoseVerdict.UNKNOWN, Trust.UNVERIFIED)
    assert judgement.reference == 9.0
    assert {one.verdict for one in judged_by_published(hospitals(DOSES), level)} == {DoseVerdict.UNKNOWN}


def test_a_published_level_of_another_phantom_or_region_says_nothing():
    for level in (published(phantom_cm=16.0), published(regions=("chest",)), published(quantity="dlp")):
        assert all(one.whose is None for one in judged(record("H1", 12.0), (), [level]))


def test_a_published_level_asks_nobody_where_the_own_level_judges():
    judgements = judged(record("H1", 10.0), LEVELS, [published()])
    assert judgements[-1].verdict is DoseVerdict.ABOVE
    assert not judgements[-1].asks


def test_a_hospitals_median_stands_beside_a_published_level_over_all_sizes():
    large = hospitals(DOSES, exams=10, diameter_cm=35.0) + hospitals(DOSES, exams=10, diameter_cm=23.0)
    by_site = {one.site: one.verdict for one in judged_by_published(large, published())}
    assert by_site["H05"] is DoseVerdict.ABOVE
    assert by_site["H04"] is DoseVerdict.USUAL
    children = [replace(one, age_a=9.0) for one in large]
    assert judged_by_published(children, published()) == ()


def test_every_shipped_level_has_a_source_and_an_unchecked_one_says_so():
    levels = dose_rules().level
    assert len(levels) > 10
    assert {level.trust for level in levels if level.authority == "China"} == {Trust.UNVERIFIED}
    assert all(level.source for level in levels)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('authority = "UK"', 'authorty = "UK"', "authorty"),
        ('"head"]', '"nose"]', "regions"),
        ("drl = 60", "drl = 45", "level"),
        ("edges = [21, 25", "edges = [25, 21", "bands"),
        ('"uk2022-head-dlp"', '"uk2022-head-ctdi"', "twice"),
    ],
)
def test_a_broken_file_of_levels_is_refused_with_the_entry(old, new, where, tmp_path):
    shipped = (resources.files("bingcheng.compare") / "dose_reference.toml").read_text("utf-8")
    path = tmp_path / "ours.toml"
    path.write_text(shipped.replace(old, new, 1), "utf-8")
    with pytest.raises(CatalogueError, match=r"compare\.broken-rules") as caught:
        dose_rules_from(path)
    assert where in str(caught.value)


def test_an_overview_holds_the_published_levels_of_its_procedures_only():
    overview = dose_overview(
        hospitals(DOSES), DoseRules(bands=(), level=(published(), published(id="y", regions=("limb",))))
    )
    assert [level.id for level in overview.published] == ["x"]
    assert len(overview.exams) == 220
    assert {site.whose for site in overview.sites} == {None, "Land 2020"}
    assert dose_overview(hospitals(DOSES), dose_rules(), authorities=()).published == ()
