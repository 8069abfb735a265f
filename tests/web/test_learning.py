"""Where cases are learned from, in a real browser: lists, collections, opinions, evidence and moderation."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select
from tests.archive.cases.attached.made import jpeg
from tests.web.listening import free_port, listening

from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.attached.file import cleaned
from bingcheng.archive.cases.attached.kept import attach
from bingcheng.archive.cases.case import CaseStatus, Question, Written, make_case, set_status
from bingcheng.archive.cases.collections import make_collection, put_in
from bingcheng.archive.cases.discussion import comment
from bingcheng.archive.cases.earlier_comments import search_earlier_comments
from bingcheng.archive.cases.grants import Audience, Given, grant
from bingcheng.archive.cases.methods import MethodKind, share_method
from bingcheng.archive.cases.opinions import ask_opinion
from bingcheng.archive.cases.reading_list import keep
from bingcheng.archive.cases.reports import report
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.archive.people.session import begin_session
from bingcheng.server.application import application, open_site
from bingcheng.server.settings import Settings
from bingcheng.server.site import utc_now

pytestmark = pytest.mark.slow

PAGES = (
    *("/cases", "/reading", "/collections", "/collections/1", "/opinions", "/opinions/1", "/reported"),
    *("/cases/1", "/cases/1/opinions", "/cases/1/grants", "/shared", "/shared/1"),
)
NARROW, LONGEST_S = 390, 30
LONG_NAME = "胰腺导管腺癌新辅助化疗后与自身免疫性胰腺炎的鉴别：一例影像与病理对照"
EVIDENCE = [
    {
        "measure": f"radiomics.a_measure_with_a_long_name_{number}",
        "reference": "IBSI digital phantom",
        "expect": 0.0533,
        "atol": 0.0,
        "rtol": 0.0,
        "value": value,
        "unit": None,
        "reason": None,
        "met": True,
        "kind": kind,
        "source": "IBSI reference manual, arXiv:1612.07003v11",
    }
    for number, (value, kind) in enumerate(((0.05332, "consensus"), (0.06, "consensus"), (0.0533, "analytic")))
]
REACHABLE = """() => [...document.querySelectorAll(
    ["a[href]", "button", "input:not([type=hidden])", "select", "textarea", "summary", '[tabindex="0"]']
      .map((one) => "main " + one).join()
  )].filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0)"""


def learned(folder):
    """A server with two hospitals and one of everything that readers learn from; and the sessions of its people."""
    site = open_site(Settings(workspace=folder, port=free_port()))
    now, secrets = utc_now(), {}
    with site.workspace.writing() as connection:
        north, south = (
            make_hospital(connection, name=f"{one} Hospital", code=one, now=now, spellings=[one])
            for one in ("North", "South")
        )
        who = {
            login: make_person(connection, login=login, name=login.title(), hospital=place, roles=[role], now=now)
            for login, place, role in (
                ("author", north, Role.RADIOLOGIST),
                ("reader", south, Role.RADIOLOGIST),
                ("admin", north, Role.SITE_ADMIN),
            )
        }
        for login, number in who.items():
            secrets[login] = begin_session(connection, number, now=now)
        asked = Question(question="What is it?", choices=("HCC", "FNH"), right=0, explanation="It washes out.")
        said = Written(
            title=LONG_NAME,
            context="Man of 58 years.",
            diagnosis="pancreatic ductal adenocarcinoma",
            hidden=True,
            questions=(asked,),
            show_hospital=True,
        )
        for _ in range(3):
            case = make_case(
                connection, hospital=north, author=who["author"], profile="teaching", written=said, now=now
            )
            set_status(connection, case, CaseStatus.PUBLISHED, now)
            grant(connection, Given.CASE, case, Audience.PROVINCE, to=None, by=who["author"], now=now)
        comment(connection, 1, person=who["author"], words="Call 13812345678", now=now)
        search_earlier_comments(connection, now)
        spoken = comment(connection, 1, person=who["author"], words="Look, @Reader and @nobody", now=now)
        attach(connection, spoken, cleaned(f"{LONG_NAME}.jpg", jpeg()))
        report(connection, 1, spoken, person=who["reader"], because="a name in the picture", now=now)
        made = {"hospital": north, "author": who["author"], "now": now}
        collection = make_collection(connection, title=LONG_NAME, description="Of the year", **made)
        for number in (1, 2):
            put_in(connection, collection, number, note="beginners")
        keep(connection, who["reader"], [1, 2], now)
        keep(connection, who["author"], [1, 3], now)
        ask = {"asked_by": who["author"], "question": "Operable?", "hospital": south, "person": None, "due_on": None}
        ask_opinion(connection, 1, **ask, now=now)
        share_method(
            connection,
            MethodKind.METHOD,
            title="Radiomics of the pancreas",
            description="",
            content='{"name": "Radiomics", "version": 2, "measures": ["volume"], "source": "https://example.org/a/b/c"}',
            evidence=json.dumps(EVIDENCE),
            **made,
        )
    return SimpleNamespace(site=site, who=who, secrets=secrets)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    made = learned(tmp_path_factory.mktemp("learning") / "workspace")
    with listening(application(made.site.settings, site=made.site), made.site.settings.port) as address:
        made.address = address
        yield made
    made.site.close()


@pytest.fixture
def signed_in(served, browser):
    """A window of who is named, in a language."""
    contexts = []

    def open_window(login: str, language: str = "en-GB", width: int = 1440):
        context = browser.new_context(locale=language, viewport={"width": width, "height": 900})
        contexts.append(context)
        context.add_cookies([{"name": "bingcheng", "value": served.secrets[login], "url": served.address}])
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda said: page.faults.append(said.text) if said.type == "error" else None)
        return page

    yield open_window
    for one in contexts:
        one.close()


@pytest.mark.parametrize(("language", "said"), [("en-GB", "en"), ("zh-CN", "zh-CN")])
def test_no_page_is_wider_than_a_telephone_in_either_language(served, signed_in, language, said):
    page = signed_in("author", language, NARROW)
    for path in PAGES:
        assert page.goto(served.address + path).status == 200, path
        assert page.evaluate("document.documentElement.lang") == said
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW, path
        assert page.faults == [], path


@pytest.mark.parametrize("path", ["/reading", "/collections/1", "/opinions", "/reported", "/shared/1"])
def test_all_that_can_be_done_on_a_page_is_done_without_a_mouse(served, signed_in, path):
    page = signed_in("author")
    page.goto(served.address + path)
    wanted = page.evaluate(f"() => {{ window.wanted = ({REACHABLE})(); return window.wanted.length; }}")
    assert wanted
    reached = set()
    for _ in range(wanted * 2 + 40):
        page.keyboard.press("Tab")
        at, outlined = page.evaluate(
            """() => {
              const one = document.activeElement, style = getComputedStyle(one);
              const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
              return [window.wanted.indexOf(one), outlined];
            }"""
        )
        if at >= 0:
            # A field for a day has stops within it, which the browser outlines itself.
            assert outlined or at in reached, page.evaluate("document.activeElement.outerHTML")
            reached.add(at)
        if len(reached) == wanted:
            break
    missing = set(range(wanted)) - reached
    assert not missing, [page.evaluate(f"window.wanted[{one}].outerHTML") for one in sorted(missing)]


def test_who_asks_for_the_answer_finds_the_case_by_it_from_then_on(served, signed_in):
    page, search = signed_in("reader"), f"{served.address}/cases?words=ductal"
    page.goto(search)
    assert LONG_NAME not in page.inner_text("main")
    page.goto(f"{served.address}/cases/1")
    page.focus("details.answer summary")
    page.keyboard.press("Enter")
    assert "pancreatic ductal" in page.inner_text("main")
    table, end = tables.case_unlocked.c, time.monotonic() + LONGEST_S
    query = select(func.count()).where(table.person == served.who["reader"], table.case_id == 1)
    while time.monotonic() < end:
        with served.site.workspace.reading() as connection:
            if connection.scalar(query):
                break
        time.sleep(0.05)
    page.goto(search)
    assert page.inner_text("main").count(LONG_NAME) == 1
    assert page.faults == []


def test_an_administrator_finds_what_is_reported_and_decides(served, signed_in):
    page = signed_in("admin")
    page.goto(served.address)
    page.click("nav a[href='/reported']")
    page.click(f"main table a >> text={LONG_NAME} >> nth=0")
    assert "Found by the program: a number of the patient" in page.inner_text("main")
    page.click("main .crumbs a, .crumbs a")
    page.wait_for_url("**/reported")
    assert page.faults == []
