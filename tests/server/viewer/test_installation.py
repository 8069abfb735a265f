"""An installed viewer is whole, fit for its place, listed, and made once."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from tests.server.viewer.conftest import FILES, packed

from bingcheng.core.errors import InputError
from bingcheng.server.viewer import adaptation
from bingcheng.server.viewer.installation import LIST, default_folder, found, install, installed


def content(ready, name):
    data = ready.files[name].path.read_bytes()
    return gzip.decompress(data) if ready.files[name].gzipped else data


def test_what_is_never_used_or_calls_out_is_left_out(published, tmp_path):
    ready = install(tmp_path / "app", published)
    assert set(ready.files) == {
        *(f"{mode}.html" for mode in adaptation.MODES),
        "boot.js",
        "keeper.js",
        "narrow.css",
        "app.bundle.00ff.js",
        "app.bundle.css",
        "89.bundle.aa.js",
        "7499.bundle.cc.js",
        "decoder.wasm",
        "a.woff2",
        "LICENSE.txt",
    }
    assert not [name for name in ready.files if b"somewhere.example" in content(ready, name)]


def test_scripts_and_styles_look_for_the_others_where_they_are_served(published, tmp_path):
    ready = install(tmp_path / "app", published)
    assert f'__webpack_require__.p = "{adaptation.FILES}"'.encode() in content(ready, "app.bundle.00ff.js")
    assert content(ready, "app.bundle.css") == f"@font-face {{ src: url({adaptation.FILES}a.woff2); }}".encode()


def test_only_what_every_mode_needs_is_loaded_at_each_start(published, tmp_path):
    script = content(install(tmp_path / "app", published), "app.bundle.00ff.js").decode()
    assert re.findall(r'push\("(.*?)"\)', script) == ["@ohif/extension-default"]


def test_the_program_is_read_before_its_pieces_and_each_module_of_it_at_once(published, tmp_path):
    ready = install(tmp_path / "app", published)
    page = content(ready, "viewer.html").decode()
    assert re.findall(r'fetchpriority="(\w+)" (?:src|href)="[^"]*/(\w+)\.bundle', page) == [
        ("high", "app"),
        ("low", "89"),
    ]
    assert "\n7:(function(module) {" in content(ready, "app.bundle.00ff.js").decode()


def test_what_a_browser_keeps_compiled_is_the_program_and_the_pieces_of_every_mode(published, tmp_path):
    script = content(install(tmp_path / "app", published), "keeper.js").decode()
    assert json.loads(re.search(r"const KEPT = (\[.*?\]);", script, re.DOTALL)[1]) == [
        f"{adaptation.FILES}{name}" for name in ("app.bundle.00ff.js", "89.bundle.aa.js", "7499.bundle.cc.js")
    ]
    # What an older Bingcheng had kept is let go; what other programs of the site keep stays.
    assert f'const BEGINS = "{adaptation.KEPT_AS}"' in script


@pytest.mark.parametrize(
    ("written", "served"),
    [
        (r"const a = '长度 é';", r"const a = '\u957f\u5ea6 \u00e9';"),
        (r"const a = '😀';", r"const a = '\ud83d\ude00';"),  # two units, as the string holds them
        (r"const a = '\é \\é \\\é';", r"const a = '\u00e9 \\\u00e9 \\\u00e9';"),  # an escape of an escape is none
        ("const plain = 'a\\n';", "const plain = 'a\\n';"),
    ],
)
def test_scripts_say_the_same_in_ascii(written, served):
    assert adaptation.in_ascii(written) == served


def test_a_script_that_is_no_text_is_left_as_it_is():
    assert adaptation.fit_script(b"a = '\xff\xfe'") == b"a = '\xff\xfe'"


def test_the_page_is_our_own_and_has_no_script_within_it(published, tmp_path):
    ready = install(tmp_path / "app", published)
    for mode in adaptation.MODES:
        page = content(ready, f"{mode}.html").decode()
        assert f'src="{adaptation.FILES}app.bundle.00ff.js"' in page
        assert f'href="{adaptation.FILES}89.bundle.aa.js"' in page
        assert ("7499.bundle.cc.js" in page) == (mode == "tmtv")  # each asks for its own pieces alone
        assert "<script>" not in page
        assert page.index("app-config.js") < page.index("app.bundle.00ff.js")


def test_the_licence_of_the_viewer_goes_with_it(published, tmp_path):
    assert content(install(tmp_path / "app", published), "LICENSE.txt") == FILES["package/LICENSE"]


def test_the_list_holds_the_checksum_and_size_of_every_file(published, tmp_path):
    ready = install(tmp_path / "app", published)
    for name, file in ready.files.items():
        assert hashlib.sha256(content(ready, name)).hexdigest() == file.sha256
        assert file.path.stat().st_size == file.size_bytes
    assert ready.size_bytes == sum(path.stat().st_size for path in (tmp_path / "app").iterdir() if path.name != LIST)


def test_a_second_time_nothing_is_done_and_nothing_is_asked_for(published, tmp_path, monkeypatch):
    install(tmp_path / "app", published)
    before = (tmp_path / "app" / LIST).stat().st_mtime_ns
    published.unlink()
    monkeypatch.setenv("PATH", "")
    install(tmp_path / "app")
    assert (tmp_path / "app" / LIST).stat().st_mtime_ns == before


def test_the_same_package_gives_the_same_bytes(published, tmp_path):
    one, other = install(tmp_path / "one", published), install(tmp_path / "other", published)
    assert [one.files[name].path.read_bytes() for name in one.files] == [
        other.files[name].path.read_bytes() for name in one.files
    ]


def test_what_an_older_bingcheng_made_is_made_anew(published, tmp_path):
    folder = tmp_path / "app"
    install(folder, published)
    listed = json.loads((folder / LIST).read_text())
    (folder / LIST).write_text(json.dumps({**listed, "revision": 0}))
    (folder / "left-over.js").touch()
    assert installed(folder) is None
    assert install(folder, published).version
    assert not (folder / "left-over.js").exists()


@pytest.mark.parametrize("missing", ["package/dist/index.html", "package/dist/app.bundle.00ff.js", "package/LICENSE"])
def test_a_package_that_is_built_otherwise_is_refused_and_leaves_nothing(tmp_path, as_published, missing):
    files = {name: data for name, data in FILES.items() if name != missing}
    with pytest.raises(InputError) as caught:
        install(tmp_path / "app", as_published(packed(tmp_path / "p.tgz", files)))
    assert caught.value.code == "server.viewer-not-as-expected"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.tgz"]


def test_a_member_that_would_lead_out_of_the_folder_is_not_unpacked(tmp_path, as_published):
    files = {**FILES, "package/dist/../../../escaped.js": b"x", "/package/dist/rooted.js": b"x"}
    ready = install(tmp_path / "deep" / "app", as_published(packed(tmp_path / "p.tgz", files)))
    assert not [name for name in ready.files if "escaped" in name or "rooted" in name]
    assert not list(tmp_path.rglob("escaped*"))


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"files": {"a.js": {}}}', "\0"])
def test_a_damaged_list_is_no_viewer(tmp_path, written):
    (tmp_path / LIST).write_text(written)
    assert installed(tmp_path) is None


def test_the_first_folder_that_holds_a_viewer_counts(published, tmp_path):
    install(tmp_path / "second", published)
    ready = found([tmp_path / "first", tmp_path / "second"])
    assert ready is not None
    assert ready.folder == tmp_path / "second"
    assert found([tmp_path / "first"]) is None


def test_data_lie_where_the_system_keeps_them(monkeypatch):
    home = Path("/home/anna")
    monkeypatch.setattr("sys.platform", "linux")
    assert default_folder(home, {}).parent == home / ".local/share/bingcheng/viewer"
    assert default_folder(home, {"XDG_DATA_HOME": "/data"}).parent == Path("/data/bingcheng/viewer")
    monkeypatch.setattr("sys.platform", "darwin")
    assert default_folder(home, {}).parent == home / "Library/Application Support/bingcheng/viewer"
    monkeypatch.setattr("sys.platform", "win32")
    assert default_folder(home, {"LOCALAPPDATA": "/local"}).parent == Path("/local/bingcheng/viewer")
