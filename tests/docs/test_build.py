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
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils
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


def without_navigation(_app, _page, _template, context, _doctree) -> None:
    """Take from a page the tree of all pages, which the theme else puts beside each of them."""
    context.pop("toctree", None)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages, made from a copy so that nothing is written into the source.

    Without the tree of all pages beside each, and without the index of words that a browser searches: Sphinx makes both
    of pages that are ready, nothing here looks at them, and they take a third of the time.
    """
    copy = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("_build", "generated", "__pycache__")
    shutil.copytree(ROOT / "docs", copy / "docs", ignore=ignored)
    for name in FRONT:
        shutil.copy(ROOT / name, copy / name)
    docs, told = copy / "docs", io.StringIO()
    # In this process, which has loaded by now all of the program that the pages are made from.
    with (
        patch_docutils(docs),
        docutils_namespace(),
        contextlib.redirect_stderr(told),
        warnings.catch_warnings(action="ignore"),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "path", [*sys.path])  # conf.py puts the folder of its extension there
        made = Sphinx(docs, docs, copy / "html", copy / "trees", "html", status=None, warning=told, warningiserror=True)
        made.connect("html-page-context", without_navigation, priority=0)
        made.builder.search = False
        made.build()
    assert made.statuscode == 0, told.getvalue()
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
