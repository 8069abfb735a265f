"""Every page in a real browser, with the longest words in it: nothing is pushed aside, hidden, faint or too small."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import update
from tests.archive.conftest import MONDAY
from tests.each import each
from tests.server.cases.published import WRITTEN
from tests.server.conftest import serving
from tests.server.every_route import Callers, hold
from tests.server.examples import JANE, STUDY, address, example, prepare
from tests.server.follow_up.conftest import AFTER, BEFORE, LATER, exam, propose
from tests.server.pages.test_structure import ROUTES
from tests.server.pairing.asking import paired
from tests.web.faults import FAINT, HIDDEN, SMALL, SQUEEZED, WIDE
from tests.web.listening import free_port, listening

from bingcheng.archive.authorisation import RIGHTS, Role
from bingcheng.archive.cases import tables as case_tables
from bingcheng.archive.cases.case import change_case
from bingcheng.archive.dimse import tables as dimse_tables
from bingcheng.archive.pairing import tables as pairing_tables
from bingcheng.archive.people import tables
from bingcheng.archive.people.api_token import make_token
from bingcheng.archive.people.invitation import invite
from bingcheng.archive.people.session import begin_session
from bingcheng.archive.store import save_exam
from bingcheng.server.security.required import Required

pytestmark = pytest.mark.slow

WORD = "Oberflächenspulenkalibrierung" * 400
WIDTHS, SMALLEST_PX, TEXT, LARGE = (390, 1440), 24, 4.5, 3.0
"""WCAG 2.2, 2.5.8 (targets) and 1.4.3 (contrast)."""
LONGEST = {
    tables.person: {"name": 128},
    tables.hospital: {"name": 120},
    tables.hospital_spelling: {"spelling": 256},
    dimse_tables.peer: {"note": 200},
    pairing_tables.peer: {"name": 100, "address": 200},
    case_tables.case_comment: {"words": 10_000},
    case_tables.case_opinion: {"question": 10_000},
    case_tables.case_collection: {"title": 200, "description": 5000},
    case_tables.case_collection_item: {"note": 200},
    case_tables.shared_method: {"title": 200, "description": 5000},
}
"""The texts of people, by table: how long each may be."""


def lengthen(served) -> None:
    """Give everything that people name the longest name without a space that it may have."""
    case, now, person = int(example(served, STUDY, "case")), served.clock(), served.people["radiologist"]
    patient = replace(JANE, name=f"{WORD[:64]}^{WORD[:64]}")
    for day, (uid, lesions) in enumerate(((STUDY, BEFORE), (LATER, AFTER))):
        named = {f"{name}{WORD[:50]}": mm for name, mm in lesions.items()}
        made = exam(uid, MONDAY + timedelta(days=56 * day), named | lesions, patient)
        save_exam(served.site.workspace, replace(made, description=WORD[:64]))
    propose(served.site.workspace, STUDY, LATER)
    paired(served)
    long = replace(
        WRITTEN,
        **dict.fromkeys(("title", "diagnosis", "body_part"), WORD[:200]),
        **dict.fromkeys(("context", "teaching"), WORD[:10_000]),
        tags=tuple(f"{n}{WORD[:60]}" for n in range(30)),
    )
    with served.site.workspace.writing() as connection:
        change_case(connection, case, long, person=person, now=now)
        make_token(connection, person, label=WORD[:128], scopes=["dicom:read"], days=1, now=now)
        invite(connection, hospital=served.north, roles=list(Role)[:4], by=None, now=now, note=WORD[:200])
        for table, words in LONGEST.items():
            connection.execute(
                update(table).values({name: f"{table.name}{WORD}"[:length] for name, length in words.items()})
            )
        for person in served.people.values():
            login = f"{person}{WORD.lower()}"[:64]
            connection.execute(update(tables.person).where(tables.person.c.id == person).values(login=login))


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    port = free_port()
    made = serving(tmp_path_factory.mktemp("pages") / "workspace", language="en", port=port)
    prepare(made)
    lengthen(made)
    with listening(made.application, port) as where:
        yield SimpleNamespace(served=made, address=where)
    made.close()


@pytest.fixture(scope="module")
def pages(platform):
    """Each page: the name of its route, its address, and the first role that sees it."""
    callers, found = Callers(platform.served), {}

    def asked(_method, route):
        path = address(platform.served, route.path)
        guarded = isinstance(route.guard, Required)
        for role in [one for one in Role if set(route.guard.actions) & RIGHTS[one].keys()] if guarded else [None]:
            client = platform.served.anonymous() if role is None else callers.of(role)
            answer = client.get(path, headers={"accept": "text/html"})
            if answer.status_code == 200 and 'id="content"' in answer.text:
                found[route.path] = (path, role)
                return

    hold(ROUTES, asked)
    return found


SAME_PAGE = {
    "/",
    "/worklist",
    "/login",
    "/admin",
    "/admin/people",
    "/admin/hospitals",
    "/admin/hospitals/{hospital_number}",
}
"""Addresses that lead to one page."""


class Shown:
    """The pages in a browser, in each person's own window; what they complain of and ask for is kept."""

    def __init__(self, browser, platform) -> None:
        self.browser, self.platform, self.windows = browser, platform, {}
        self.faults: list[str] = []

    def window(self, role):
        """The window of a role."""
        if role not in self.windows:
            context = self.browser.new_context(locale="en-GB")
            if role is not None:
                served = self.platform.served
                with served.site.workspace.writing() as connection:
                    secret = begin_session(connection, served.people[role], now=served.clock())
                context.add_cookies([{"name": "bingcheng", "value": secret, "url": self.platform.address}])
            page = self.windows[role] = context.new_page()
            page.on("pageerror", lambda error: self.faults.append(str(error)))
            page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
            page.on("request", lambda asked: self.faults.append(asked.url) if self.foreign(asked.url) else None)
        return self.windows[role]

    def foreign(self, url: str) -> bool:
        """Whether it is an address of others."""
        return not url.startswith((f"{self.platform.address}/", "data:", "blob:"))


@pytest.fixture(scope="module")
def shown(browser, platform):
    made = Shown(browser, platform)
    yield made
    for page in made.windows.values():
        page.context.close()


def test_a_page_of_the_longest_words_can_be_read_and_used_at_every_width(pages, shown):
    assert {"/exam/{study_uid}", "/cases/{case_number}", "/quicklook/{study_uid}", "/admin/peers"} <= pages.keys()
    titles = {}

    def holds(route, path, role):
        page = shown.window(role)
        shown.faults.clear()
        page.goto(shown.platform.address + path)
        assert shown.faults == []
        titles.setdefault(page.title(), []).append(route)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for fault, script in (("wide", WIDE), ("hidden", HIDDEN), ("squeezed", SQUEEZED)):
                assert (width, fault, page.evaluate(script)) == (width, fault, [])
            assert (width, page.evaluate(SMALL, SMALLEST_PX)) == (width, [])
        for theme in ("dark", "light"):
            page.emulate_media(color_scheme=theme)
            assert (theme, page.evaluate(FAINT, [TEXT, LARGE])) == (theme, [])

    each(((route, (route, path, role)) for route, (path, role) in pages.items()), holds)
    alike = [routes for routes in titles.values() if len(routes) > 1 and not set(routes) <= SAME_PAGE]
    assert alike == [], "a title tells its page from others"


PRINTED = """() => { const style = getComputedStyle(document.body), own = getComputedStyle(document.documentElement);
  return [style.color, style.backgroundColor, own.getPropertyValue("color-scheme")]; }"""


def test_a_page_prints_dark_on_white_whatever_the_screen_shows(pages, shown):
    """Browsers print no backgrounds: light words would stand on white paper."""
    for route in ("/worklist", "/exam/{study_uid}", "/cases/{case_number}"):
        path, role = pages[route]
        page = shown.window(role)
        page.goto(shown.platform.address + path)
        for chosen in ("auto", "dark"):
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", chosen)
            page.emulate_media(color_scheme="dark", media="screen")
            lit = page.evaluate(PRINTED)
            page.emulate_media(color_scheme="dark", media="print")
            colour, ground, scheme = page.evaluate(PRINTED)
            assert lit[2] == "dark"
            assert scheme == "light", route
            assert (colour, ground) in (
                ("rgb(27, 33, 39)", "rgb(251, 251, 249)"),
                ("rgb(0, 0, 0)", "rgb(255, 255, 255)"),
            )
        page.emulate_media(color_scheme="light", media="screen")
