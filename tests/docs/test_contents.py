"""What the pages state about the program, and what no page may say."""

from __future__ import annotations

import json
import re

import pytest
from tests.docs.conftest import ROOT

import bingcheng
from bingcheng.cli import verify
from bingcheng.compare.change import Verdict
from bingcheng.core.case import Methods
from bingcheng.core.errors import Owner
from bingcheng.core.finding import Level, Outcome, Trust
from bingcheng.core.measurement import Measurement
from bingcheng.core.provenance import Provenance
from bingcheng.core.refusal import Refusal
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.language import Language
from bingcheng.outputs.machine_readable import SCHEMA, as_json
from bingcheng.outputs.report.words import EXAM_WORDS, OUTCOME_WORDS, VERDICT_WORDS
from bingcheng.protocol.model import Criterion, Protocol, Role, Scope, Source
from bingcheng.quantify.uncertainty.perturbation import Perturbations

HOSTS = re.compile(
    r"pypi\.org|pythonhosted|npmjs|anaconda|docker\.io|ghcr\.io|https?://\S*(?:mirror|proxy|registry|simple)",
    re.IGNORECASE,
)
SERVED = "api/|dicomweb/|viewer/|quicklook/|admin/|account/|pairing/|exports/|cases/|exam/"
"""With what addresses of the server begin."""
LOCAL = re.compile(rf"(?<=[\s`(])/(?!path/to|tmp/|{SERVED})[a-z]+/[a-z]\S*")
FOLDER = re.compile(r"\b(\d\d_[a-z0-9]+(?:_[a-z0-9]+)*)\b")


def test_no_page_names_a_host_of_packages(pages):
    assert [(one.name, match[0]) for one in pages for match in HOSTS.finditer(one.text)] == []


def test_no_page_names_a_path_of_somebody_s_machine(pages):
    assert [(one.name, match[0]) for one in pages for match in LOCAL.finditer(one.text)] == []
    assert LOCAL.search("see /srv/data/x")


def test_links_between_files_lead_somewhere(pages):
    broken = []
    for one in pages:
        home = (ROOT / one.name).parent
        links = re.findall(r"\]\(([^)\s#:]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", one.text, flags=re.DOTALL))
        broken += [(one.name, link) for link in links if not (home / link).exists()]
    assert broken == []


def test_the_picture_of_the_report_is_light_enough_for_a_front_page():
    assert (ROOT / "docs/images/report.png").stat().st_size <= 250_000


def test_every_floor_is_on_the_map(page):
    floors = {path.parent.name for path in (ROOT / "src/bingcheng").glob("*/__init__.py")} - {"locale"}
    rows = set(re.findall(r"^\| `(\w+)` \|", page("CONTRIBUTING.md").text, re.MULTILINE))
    assert floors <= rows


def test_every_target_of_make_on_a_page_exists(pages):
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    typed = [line for one in pages for line in (*one.code_blocks("sh"), *re.findall(r"`(make [^`\n]+)`", one.text))]
    named = {word for line in typed for word in re.findall(r"^make (?:[A-Z]+=\S+ )?([a-z]+)", line, re.MULTILINE)}
    assert {"demo", "test", "docs"} <= named <= targets


def test_every_public_set_that_a_test_reads_is_described(page):
    code = "".join(
        path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py") if path.parent.name != "docs"
    )
    read = {match[1] for match in re.finditer(r'["/](\d\d_[a-z0-9_]+)', code)}
    assert "01_ibsi1" in read
    assert read <= set(FOLDER.findall(page("docs/reference-data.md").text))


def test_the_changelog_begins_with_the_values_that_change(page):
    sections = re.split(r"^## ", page("CHANGELOG.md").text, flags=re.MULTILINE)[1:]
    assert sections[0].startswith(bingcheng.__version__.split(".dev")[0])
    for section in sections:
        assert re.search(r"^### (.*)$", section, re.MULTILINE)[1] == "Reported values that change"


def test_the_words_of_the_report_are_explained(page):
    radiologist, findings = page("docs/start/radiologist.md").text, page("docs/concepts/findings.md").text
    assert [word for verdict in Verdict if (word := str(VERDICT_WORDS[verdict])) not in radiologist] == []
    rows = {cells[0]: cells[1] for line in findings.splitlines() if len(cells := line.strip("| ").split(" | ")) == 3}
    assert {outcome.value: rows.get(f"`{outcome.value}`") for outcome in Outcome} == {
        outcome.value: str(OUTCOME_WORDS[outcome]) for outcome in Outcome
    }
    assert [word for one in EXAM_WORDS.values() if (word := str(one).lower()) not in findings.lower()] == []
    assert [level for level in Level if f"`{level.value}`" not in findings] == []


def test_the_trust_marks_are_explained(page):
    rows = re.findall(r"^\| ([a-z]+) \|", page("docs/concepts/worth.md").text, re.MULTILINE)
    assert rows == [trust.value for trust in Trust]


def test_the_page_on_uncertainty_gives_the_real_settings(page):
    told, real = page("docs/concepts/uncertainty.md").text, Perturbations()
    assert f"on {real.contours} other outlines" in told
    assert f"{real.noises} further draws of noise" in told
    assert (real.offset_voxels, real.shift_voxels, real.roughness_voxels) == (0.5, 0.5, 0.25)  # half, half, a quarter


@pytest.mark.parametrize("model", [Protocol, Role, Criterion, Source])
def test_every_key_of_a_protocol_file_is_described(model, page):
    told = page("docs/reference/protocol-files.md").text
    assert [
        key
        for key in model.model_fields
        if f"`{key}`" not in told and f"[[{key}]]" not in told and f"[{key}." not in told
    ] == []


def test_scopes_and_owners_of_protocol_files_are_listed(page):
    told = re.sub(r"\s+", " ", page("docs/reference/protocol-files.md").text)
    assert [scope for scope in Scope if f"`{scope.value}`" not in told] == []
    assert [owner for owner in Owner if owner is not Owner.DEVELOPER and f"`{owner.value}`" not in told] == []


def test_every_field_of_the_json_is_described(page):
    told = page("docs/reference/json.md").text
    empty = Assessment(version="0", identified=False, sites=(), exams=(), changes=(), comparison=(), refusals=())
    made = as_json(empty, Language.of("en"))
    assert json.loads(json.dumps(made))["schema"] == SCHEMA
    assert SCHEMA in told
    assert [key for key in made if f"`{key}`" not in told] == []
    fields = {"key", "label", "value", "standard_uncertainty", "unit", "no_value", "tells", "provenance"}
    assert fields == set(Measurement.__dataclass_fields__)
    assert fields | set(Provenance.__dataclass_fields__) - {"parameters", "package"} <= set(
        re.findall(r"`(\w+)`", told)
    )
    assert {"code", "reason", "remedy", "owner", "kind", "subject", "count"} <= set(Refusal.__dataclass_fields__)


def test_codes_that_only_the_command_line_gives_are_named(page):
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src/bingcheng/cli").glob("*.py"))
    undeclared = set(re.findall(r'^\s+"(cli\.[a-z-]+)",$', code, re.MULTILINE))
    assert "cli.fault" in undeclared
    assert [name for name in undeclared if f"`{name}`" not in page("docs/reference/problems.md").text] == []


def test_the_json_of_verify_has_the_fields_that_are_described(page, capsys, monkeypatch):
    # Measures of one room have the fields of all.
    monkeypatch.setattr(verify, "installed", lambda: Methods.of("bingcheng.quantify.intensity.hounsfield"))
    assert verify.run_verify(json=True, language=Language.of("en")) == 0
    told = page("docs/reference/json.md").text.split("`bingcheng verify --json`")[1]
    fields = {name for one in json.loads(capsys.readouterr().out) for name in one}
    assert fields == set(re.findall(r"`(\w+)`", told))
