"""Every page can be used without seeing it and without a mouse: checked on the HTML of each route and language."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from typing import cast

import pytest
from tests.server.conftest import serving
from tests.server.every_route import Callers, hold
from tests.server.examples import address, prepare

from bingcheng.archive.authorisation import RIGHTS, Role
from bingcheng.server.application import application
from bingcheng.server.security.guards import guarded_routes
from bingcheng.server.security.required import Required
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site

EMPTY = frozenset({"input", "img", "br", "hr", "meta", "link", "source", "col", "wbr", "use", "path", "rect", "circle"})
CONTROLS = frozenset({"input", "select", "textarea"})
ROUTES = tuple(
    ("GET", route)
    for route in guarded_routes(application(Settings(), site=cast("Site", None)))
    if "GET" in route.methods and not route.path.startswith(("/dicomweb", "/pairing", "/api/openapi", "/static"))
)


@dataclass
class Element:
    """An element of a page."""

    name: str
    attributes: dict[str, str]
    parent: Element | None = None
    inner: list[Element | str] = field(default_factory=list)

    def text(self) -> str:
        """What is written in it, and what it says to who doesn't see it."""
        if self.name == "img":
            return self.attributes.get("alt", "")
        said = "".join(one if isinstance(one, str) else one.text() for one in self.inner)
        return self.attributes.get("aria-label") or self.attributes.get("title", "") * (not said.strip()) or said

    def all(self) -> list[Element]:
        """Itself and everything within."""
        return [self, *(found for one in self.inner if isinstance(one, Element) for found in one.all())]

    def within(self, name: str) -> bool:
        """Whether it stands in an element of that name."""
        return self.parent is not None and (self.parent.name == name or self.parent.within(name))


class Tree(HTMLParser):
    """The page as elements; what is not closed is closed with what it stands in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.root = self._at = Element("", {})
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        made = Element(tag, {key: value or "" for key, value in attrs}, self._at)
        self._at.inner.append(made)
        if tag not in EMPTY:
            self._at = made

    def handle_startendtag(self, tag, attrs):
        self._at.inner.append(Element(tag, {key: value or "" for key, value in attrs}, self._at))

    def handle_endtag(self, tag):
        opened = self._at
        while opened.parent is not None and opened.name != tag:
            opened = opened.parent
        if opened.parent is not None:
            self._at = opened.parent

    def handle_data(self, data):
        self._at.inner.append(data)


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    made = serving(tmp_path_factory.mktemp("structure") / "workspace", language="en")
    prepare(made)
    yield made
    made.close()


def shown(callers, route, language: str) -> list[Element] | None:
    """The page of a route for the first role that it is shown to; None if the route answers no page."""
    path = address(callers.served, route.path)
    roles = (
        [None]
        if not isinstance(route.guard, Required)
        else [r for r in Role if set(route.guard.actions) & RIGHTS[r].keys()]
    )
    for role in roles:
        client = callers.served.anonymous() if role is None else callers.of(role)
        answer = client.get(path, headers={"accept": "text/html", "accept-language": language})
        if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
            if path.startswith("/viewer/") and 'id="content"' not in answer.text:
                return None  # the viewer is a program of others
            return Tree(answer.text).root.all()
    return None


def named(elements: list[Element], *names: str) -> list[Element]:
    return [one for one in elements if one.name in names]


def labelled(control: Element, elements: list[Element]) -> bool:
    own = control.attributes
    if own.get("aria-label", "").strip() or own.get("aria-labelledby", "").strip():
        return True
    labels = [one for one in named(elements, "label") if one.attributes.get("for") == own.get("id", "-")]
    return any(one.text().strip() for one in labels) or control.within("label")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_page_is_built_so_that_everybody_can_use_it(installation, language):
    callers, pages = Callers(installation), []

    def holds(method, route):
        elements = shown(callers, route, language)
        if elements is not None:
            pages.append(route.path)
            check(elements, language)

    hold(ROUTES, holds)
    # Otherwise nothing was looked at.
    assert {"/worklist", "/exam/{study_uid}", "/patients", "/patient/{patient}", "/hospital", "/province"} <= set(pages)
    assert len(pages) > 40


def check(elements: list[Element], language: str) -> None:
    """Assert that who doesn't see a page, or has no mouse, can use it."""
    (html,) = named(elements, "html")
    assert html.attributes["lang"] == language
    assert named(elements, "title")[0].text().partition(" · ")[0].strip()

    links = named(elements, "a", "button", "input", "select")
    assert (links[0].attributes.get("class"), links[0].attributes["href"]) == ("skip", "#content")
    (main,) = named(elements, "main")
    assert main.attributes["id"] == "content"
    assert len(named(elements, "footer")) == 1
    navigations = [one.attributes.get("aria-label", "") for one in named(elements, "nav")]
    assert all(navigations), "a landmark has a name"
    assert len(set(navigations)) == len(navigations), "and no two the same"

    levels = [int(one.name[1]) for one in elements if re.fullmatch("h[1-6]", one.name)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert all(one.text().strip() for one in elements if re.fullmatch("h[1-6]", one.name))

    ids = [one.attributes["id"] for one in elements if "id" in one.attributes]
    assert len(set(ids)) == len(ids), sorted({one for one in ids if ids.count(one) > 1})
    for one in elements:
        for attribute in ("for", "aria-labelledby", "aria-describedby", "list"):
            for wanted in one.attributes.get(attribute, "").split():
                assert wanted in ids, f"{attribute}={wanted}"
        assert "style" not in one.attributes, "the policy of the pages forbids it"
        assert not [key for key in one.attributes if key.startswith("on")]
        assert int(one.attributes.get("tabindex", "0")) <= 0

    for one in named(elements, *CONTROLS):
        if one.attributes.get("type") != "hidden" and "hidden" not in one.attributes:
            assert labelled(one, elements), one.attributes
    for one in named(elements, "button", "a", "summary"):
        assert one.text().strip() or "hidden" in one.attributes, one.attributes
    assert all("alt" in one.attributes for one in named(elements, "img"))
    for one in named(elements, "th"):
        assert one.attributes.get("scope") in ("row", "col"), one.text()
    for one in named(elements, "form"):
        buttons = [inner for inner in named(one.all(), "button") if "disabled" not in inner.attributes]
        if one.attributes.get("method") == "post" and buttons:  # a preview shows forms that can't be sent
            assert any(inner.attributes.get("name") == "csrf" for inner in one.all()), one.attributes
