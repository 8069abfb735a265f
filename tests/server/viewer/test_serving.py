"""The viewer's routes: who may open it, what a browser is told, what is served."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from benchmarks.exchange_objects import file_of, image, uid_of

from bingcheng.archive.authorisation import case_space, hospital_space
from bingcheng.archive.objects.received import Origin
from bingcheng.server.application import ROUTERS
from bingcheng.server.viewer import adaptation
from bingcheng.server.viewer.configuration import LANGUAGES, app_config
from bingcheng.server.viewer.installation import install
from bingcheng.server.viewer.links import has_tumour_volume, study_link, tumour_volume_link
from bingcheng.server.viewer.serving import router

NAME = "bingcheng.server.viewer.serving"
MODES = ("viewer", "segmentation", "tmtv")
SEEN, OTHERS, WITHDRAWN = uid_of("seen"), uid_of("others"), uid_of("withdrawn")


@pytest.fixture
def home(serve, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("bingcheng.server.viewer.serving.BUNDLED", tmp_path / "none")
    return serve() if NAME in ROUTERS else serve(router)


@pytest.fixture
def ready(home, published, tmp_path):
    home.application.state.viewer = install(tmp_path / "app", published)
    spaces = {"seen": hospital_space(home.north), "others": hospital_space(home.south), "withdrawn": case_space(1)}
    for name, space in spaces.items():
        home.site.objects.receive(file_of(image(name, "ct", 1)), space=space, origin=Origin(kind="import", peer="test"))
    return home


def settings_of(script):
    return json.loads(re.search(r"window\.config = (\{.*?\n\});", script, re.DOTALL)[1])


@pytest.mark.parametrize("mode", MODES)
def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(ready, mode):
    answer = ready.anonymous().get(f"/viewer/{mode}?StudyInstanceUIDs=1.2", headers={"accept": "text/html"})
    assert answer.status_code in (302, 303, 401)
    assert answer.headers.get("location", "/login").startswith("/login")


@pytest.mark.parametrize("mode", MODES)
def test_the_page_may_load_from_this_server_only(ready, mode):
    answer = ready.browser("radiologist").get(f"/viewer/{mode}?StudyInstanceUIDs={SEEN}")
    assert answer.status_code == 200
    directives = dict(one.strip().split(" ", 1) for one in answer.headers["content-security-policy"].split(";"))
    assert directives["default-src"] == "'none'"
    for name in ("script-src", "connect-src", "worker-src", "img-src", "font-src", "style-src"):
        sources = directives[name].split()
        assert sources[0] == "'self'"
        assert not [one for one in sources if "." in one or "*" in one or one in ("https:", "http:")]
    assert "'unsafe-inline'" not in directives["script-src"]
    assert "<script>" not in answer.text


@pytest.mark.parametrize("study", [OTHERS, WITHDRAWN, "1.2", "..%2F1", "%27"])
def test_what_may_not_be_seen_is_refused_in_words_before_the_viewer_starts(ready, study):
    answer = ready.browser("radiologist").get(
        f"/viewer/viewer?StudyInstanceUIDs={study}", headers={"accept": "text/html"}
    )
    assert answer.status_code == 404
    assert "not open to you" in answer.text
    assert "react-portal" not in answer.text


def test_of_several_studies_those_are_opened_that_may_be_seen(ready):
    asked = f"/viewer/viewer?hangingProtocolId=mpr&studyinstanceuids={OTHERS},{SEEN},{SEEN}"
    answer = ready.browser("radiologist").get(asked)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/viewer/viewer?StudyInstanceUIDs={SEEN}&hangingProtocolId=mpr"


def test_an_address_without_a_study_leads_to_the_worklist(ready):
    assert ready.browser("radiologist").get("/viewer/viewer").headers["location"] == "/"


@pytest.mark.parametrize(("study", "status"), [(SEEN, 204), (OTHERS, 404), (WITHDRAWN, 404), ("1.2", 404), ("x", 400)])
def test_the_viewer_is_told_while_it_is_used_whether_a_study_may_still_be_seen(ready, study, status):
    assert ready.browser("radiologist").get(f"/viewer/exams/{study}/open").status_code == status


def test_who_was_signed_out_meanwhile_is_told_so(ready):
    assert ready.anonymous().get(f"/viewer/exams/{SEEN}/open").status_code == 401


def test_the_program_is_kept_from_the_page_to_sign_in_on_for_those_who_see_images(ready):
    assert 'data-after="0"' in ready.anonymous().get("/login").text
    assert 'data-after="1500"' in ready.browser("radiologist").get("/account").text
    assert 'data-after="1500"' not in ready.browser("operator").get("/account").text


def test_the_rest_of_the_site_keeps_its_stricter_policy(ready):
    assert "unsafe" not in ready.browser("radiologist").get("/healthz").headers["content-security-policy"]


def test_other_words_below_viewer_are_no_address(ready):
    client = ready.browser("radiologist")
    for path in ("/viewer/microscopy", "/viewer/index.html", f"{adaptation.FILES}nothing.js", "/viewer/0-0/boot.js"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("name", ["viewer.json", "..%2Fviewer.json", "%2e%2e/%2e%2e/settings.py", "app.bundle.css.gz"])
def test_a_file_that_is_not_listed_is_not_served(ready, name):
    assert ready.browser("radiologist").get(f"{adaptation.FILES}{name}").status_code == 404


def test_files_are_sent_compressed_with_their_type_and_kept_by_the_browser(ready):
    client = ready.anonymous()
    script = client.get(f"{adaptation.FILES}app.bundle.00ff.js")
    assert script.headers["content-encoding"] == "gzip"
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    assert "__webpack_require__.p" in script.text
    assert client.get(f"{adaptation.FILES}decoder.wasm").headers["content-type"] == "application/wasm"
    font = client.get(f"{adaptation.FILES}a.woff2")
    assert "content-encoding" not in font.headers
    assert font.content[:4] == b"wOF2"


def test_who_takes_no_gzip_gets_the_same_content(ready):
    path = f"{adaptation.FILES}app.bundle.00ff.js"
    plain = ready.anonymous().get(path, headers={"accept-encoding": "gzip;q=0"})
    stored = ready.application.state.viewer.files["app.bundle.00ff.js"].path.read_bytes()
    assert "content-encoding" not in plain.headers
    assert plain.content == gzip.decompress(stored)


def test_the_keeper_serves_all_below_viewer_and_is_asked_for_anew_each_time(ready):
    answer = ready.anonymous().get("/viewer/keeper.js")  # the place of the script is the reach of a service worker
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    assert f"{adaptation.FILES}app.bundle.00ff.js" in answer.text
    assert "/dicomweb" not in answer.text  # program only, no data


def test_without_the_viewer_there_is_nothing_to_keep_and_no_error(home):
    answer = home.anonymous().get("/viewer/keeper.js")
    assert answer.status_code == 200
    assert "addEventListener" not in answer.text


def test_the_settings_point_at_this_server_and_nowhere_else(ready):
    script = ready.anonymous().get("/viewer/app-config.js").text
    source = settings_of(script)["dataSources"][0]["configuration"]
    assert {source[name] for name in ("qidoRoot", "wadoRoot", "wadoUriRoot")} == {"/dicomweb"}
    assert "http:" not in script
    assert "https:" not in script


def test_each_address_has_its_mode(ready):
    told = settings_of(ready.anonymous().get("/viewer/app-config.js").text)
    assert set(told["bingcheng"]["modes"]) == set(MODES)


@pytest.mark.parametrize(("code", "tag"), LANGUAGES.items())
def test_the_viewer_speaks_the_language_of_the_reader(ready, code, tag):
    answer = ready.anonymous().get("/viewer/app-config.js", headers={"accept-language": code})
    assert settings_of(answer.text)["bingcheng"]["language"] == tag
    assert "public" not in answer.headers["cache-control"]


def test_words_in_the_settings_can_not_end_the_script():
    script = app_config("en", back='</script><script>alert("1")')
    assert settings_of(script)["bingcheng"]["back"] == '</script><script>alert("1")'


def test_without_the_viewer_a_page_says_how_to_get_it_and_leads_to_the_quick_look(home):
    answer = home.browser("radiologist").get("/viewer/viewer?StudyInstanceUIDs=1.2.3,1.2.4")
    assert answer.status_code == 200
    assert "bingcheng viewer install" in answer.text
    assert 'href="/quicklook/1.2.3"' in answer.text


def test_a_study_in_the_address_can_not_write_into_that_page(home):
    answer = home.browser("radiologist").get("/viewer/viewer", params={"StudyInstanceUIDs": '"><script>x</script>'})
    assert "<script>x" not in answer.text


def test_a_viewer_that_is_brought_while_we_serve_is_found(home, published, tmp_path):
    client = home.browser("radiologist")
    assert "viewer install" in client.get("/viewer/viewer").text
    from bingcheng.server.viewer import package  # noqa: PLC0415 - its version names the folder

    install(tmp_path / "data/bingcheng/viewer" / package.VERSION, published)
    assert client.get("/viewer/viewer").headers["location"] == "/"  # no study is named


def test_the_viewer_s_own_list_of_studies_gives_way_to_ours(ready):
    answer = ready.browser("radiologist").get("/viewer")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"


def test_links_name_study_series_and_image():
    assert study_link(["1.2", "1.3"]) == "/viewer/viewer?StudyInstanceUIDs=1.2,1.3"
    assert study_link(["1.2"], series="1.4", instance="1.5", segment=True) == (
        "/viewer/segmentation?StudyInstanceUIDs=1.2&initialSeriesInstanceUID=1.4&initialSOPInstanceUID=1.5"
    )
    assert tumour_volume_link("1.2") == "/viewer/tmtv?StudyInstanceUIDs=1.2"


def test_tumour_volume_needs_a_pet_and_a_ct():
    assert has_tumour_volume(["CT", "PT", "SR"])
    assert not has_tumour_volume(["CT", "SR"])
