"""The pages are built without a warning, and what is made from the program is whole."""

from __future__ import annotations

import contextlib
import html
import io
import re
import shutil
import sys
import warnings

import pytest
from sphinx.cmd.build import main as build
from tests.docs.conftest import FRONT, ROOT

from bingcheng.compare.comparability import rules
from bingcheng.compare.repeatability import limits
from bingcheng.core.case import GIVENS, Methods
from bingcheng.engine.methods import PACKAGES
from bingcheng.outputs.table_columns import TABLES
from bingcheng.protocol.attributes import attributes
from bingcheng.protocol.library import protocols
from bingcheng.protocol.rules import operators

pytestmark = pytest.mark.slow
DECLARED = re.compile(r"^\s*code=\"([a-z]+\.[a-z0-9-]+)\"", re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages, made from a copy so that nothing is written into the source."""
    copy = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("_build", "generated", "__pycache__")
    shutil.copytree(ROOT / "docs", copy / "docs", ignore=ignored)
    for name in FRONT:
        shutil.copy(ROOT / name, copy / name)
    told = io.StringIO()
    # In this process, which has loaded by now all of the program that the pages are made from.
    with (
        contextlib.redirect_stderr(told),
        warnings.catch_warnings(action="ignore"),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "path", [*sys.path])  # conf.py puts the folder of its extension there
        status = build(["-W", "--keep-going", "-q", "-b", "html", str(copy / "docs"), str(copy / "html")])
    assert status == 0, told.getvalue()
    return copy / "html"


def words(path) -> str:
    """The text of a built page."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", path.read_text("utf-8"))))


def test_every_measure_has_a_page_with_its_definition_unit_source_and_references(site):
    for one in Methods.of(*PACKAGES).measures:
        told = words(site / "measures" / "generated" / f"{one.key}.html")
        for fact in (one.label, one.unit, one.source, *(r.name for r in one.references)):
            assert re.sub(r"\s+", " ", fact).replace("`", "") in told, (one.key, fact)
        assert (one.function.__doc__ or "").split("\n")[0].replace("`", "") in told, one.key


def test_every_protocol_has_a_page_with_its_criteria_and_their_sources(site):
    for one in protocols():
        told = words(site / "protocols" / "generated" / f"{one.id}.html")
        for criterion in one.criteria:
            assert str(criterion.title) in told, (one.id, criterion.id)
            assert criterion.remedy in told, (one.id, criterion.id)
            assert one.citations[criterion.id] in told, (one.id, criterion.id)


def test_every_code_that_the_source_declares_is_on_the_page_of_codes_with_an_anchor(site):
    page = (site / "reference" / "problems.html").read_text("utf-8")
    declared = {code for path in (ROOT / "src").rglob("*.py") for code in DECLARED.findall(path.read_text("utf-8"))}
    assert len(declared) > 100
    assert [code for code in sorted(declared) if f'id="problem-{code.replace(".", "-")}"' not in page] == []


def test_every_column_of_every_table_is_described(site):
    told = words(site / "reference" / "tables.html")
    assert [
        (t.name, c.name) for t in TABLES for c in t.columns if f"{c.name} " not in told or c.description not in told
    ] == []


def test_every_limit_and_condition_is_shown_with_its_source(site):
    told = words(site / "concepts" / "verdicts.html")
    sources = [entry.citation for entry in limits().entries] + [rule.source for rule in rules().rules]
    assert [source for source in sources if source not in told] == []


def test_every_input_attribute_and_operator_is_listed(site):
    inputs, files = words(site / "measures" / "index.html"), words(site / "reference" / "protocol-files.html")
    assert [name for name in (*GIVENS, *Methods.of(*PACKAGES).derived.keys()) if name not in inputs] == []
    assert [name for name in (*attributes().keys(), *operators().keys()) if name not in files] == []
