"""Rendering a page: in the reader's language and theme, with navigation, notices and the token of its forms."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from bingcheng import __version__
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import NOBODY, Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.role import ROLE_MEANINGS, ROLE_WORDS
from bingcheng.archive.authorisation.scope import SCOPE_WORDS
from bingcheng.archive.people.notice import unread
from bingcheng.archive.people.person import THEMES
from bingcheng.core.errors import BingchengError
from bingcheng.core.wording import Fact, Text
from bingcheng.outputs.compiled_templates import CompiledTemplates
from bingcheng.outputs.language import Language
from bingcheng.server.pages.browser_name import browser_name
from bingcheng.server.pages.navigation import places_for
from bingcheng.server.security.cookies import LANGUAGE, THEME, cookie_name, csrf_token, is_secure, set_form_secret
from bingcheng.server.security.identity import known_person
from bingcheng.server.settings import Settings
from bingcheng.server.site import site_of
from bingcheng.server.static_files import static_path

SPOKEN = ("en", "zh")


def page(
    request: Request, template: str, *, actor: Actor | None = None, status: int = 200, **values: Any
) -> HTMLResponse:
    """The page that `template` (of ``server/templates``) makes of `values`.

    A template extends ``base.html.jinja`` and may use, besides its values: ``_("…", fact=…)``, ``_n``, ``say(text)``,
    ``number``, ``when(time)`` (ISO, in the installation's zone), ``scanner_time(time)`` (as it stands), ``language``,
    ``actor``, ``may(Action.X)``, ``Action``, ``csrf`` (a hidden field for forms), ``path``, ``place`` (set by the page
    for the navigation).

    Parameters
    ----------
    actor : who asks; otherwise the one whom the route's guard found.
    """
    person = known_person(request)
    who = actor or _found_actor(request)
    language = language_of(request)
    where = site_of(request)
    content = (
        _environment(language.code)
        .get_template(template)
        .render(
            actor=who,
            person=person,
            theme=theme_of(request),
            csrf_value=csrf_token(request),
            places=tuple(places_for(who, request.app.state.paths)),
            unread=_unread(request, who),
            path=request.url.path,
            here=_here(request),
            answers_a_form=request.method != "GET",
            request=request,
            settings=where.settings,
            when=partial(when, zone=zone_of(where.settings)),
            zone=zone_name(where.settings, where.now()),
            may=lambda action, subject=None: decide(who, action, subject).allowed,
            **values,
        )
    )
    response = HTMLResponse(content, status)
    response.headers["content-language"] = language.tag
    response.headers["vary"] = "accept-language, cookie"
    set_form_secret(request, response)
    return response


def language_of(request: Request) -> Language:
    """The language of the reader: what the person set, what this browser set, what it asks for."""
    person = known_person(request)
    wishes = (
        person.language if person else "",
        request.cookies.get(cookie_name(LANGUAGE, secure=is_secure(request)), ""),
        _accepted(request.headers.get("accept-language", "")),
        site_of(request).settings.language,
    )
    return spoken(next((wish for wish in wishes if wish in SPOKEN), "en"))


def theme_of(request: Request) -> str:
    """``auto``, ``light`` or ``dark``: what the person set, what this browser set."""
    person = known_person(request)
    wish = person.theme if person else request.cookies.get(cookie_name(THEME, secure=is_secure(request)), "")
    return wish if wish in THEMES else "auto"


@cache
def spoken(code: str) -> Language:
    """The language of a code; its catalogue is read once."""
    return Language.of(code)


def when(moment: datetime | None, *, zone: tzinfo | None = UTC) -> str:
    """A time of the database (UTC) as ISO 8601, to the minute, in a zone, None for the machine's; a dash for none."""
    return scanner_time(None if moment is None else moment.replace(tzinfo=UTC).astimezone(zone))


def scanner_time(moment: datetime | None) -> str:
    """A time as it stands, as ISO 8601, to the minute; a dash for none. Scanners state no zone."""
    return "–" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def zone_of(settings: Settings) -> tzinfo | None:
    """The zone in which pages show times; None for the machine's own."""
    return ZoneInfo(settings.time_zone) if settings.time_zone else None


def zone_name(settings: Settings, now: datetime) -> str:
    """What the zone is called at a time (UTC): ``Asia/Shanghai``, ``UTC+08:00``, ``UTC``."""
    offset = now.replace(tzinfo=UTC).astimezone(zone_of(settings)).strftime("%z")
    return settings.time_zone or ("UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:5]}")


@cache
def _environment(code: str) -> Environment:
    language = spoken(code)

    def sentence(template: str, **facts: Fact | Text) -> str:
        return language.say(Text(template, facts)) if facts else language.say(template)

    made = Environment(
        loader=PackageLoader("bingcheng.server"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=CompiledTemplates(),
    )
    made.globals.update(
        {
            "_": sentence,
            "_n": language.plural,
            "say": language.say,
            "number": language.number,
            "when": when,
            "scanner_time": scanner_time,
            "language": language,
            "Action": Action,
            "role_words": ROLE_WORDS,
            "role_meanings": ROLE_MEANINGS,
            "scope_words": SCOPE_WORDS,
            "version": __version__,
            "static": static_path,
            "browser_name": browser_name,
        }
    )
    return made


def _found_actor(request: Request) -> Actor:
    proof = getattr(request.state, "proof", None)
    return NOBODY if proof is None else proof.actor


def _here(request: Request) -> str:
    """The address to come back to: of the page itself, or the start where a form was answered."""
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _unread(request: Request, actor: Actor) -> int:
    if actor.person is None:
        return 0
    try:
        with site_of(request).workspace.reading() as connection:
            return unread(connection, actor.person)
    except BingchengError:
        return 0  # a page that says what is wrong with the database must not fail for the same reason


def _accepted(header: str) -> str:
    """The language of ours that the browser prefers (RFC 9110, 12.5.4); empty if it asks for none of them."""
    best, weight = "", 0.0
    for part in header.split(","):
        tag, _, quality = part.partition(";")
        code = tag.strip().split("-")[0].lower()
        try:
            asked = float(quality.strip().removeprefix("q=")) if quality.strip() else 1.0
        except ValueError:
            continue
        if code in SPOKEN and asked > weight:
            best, weight = code, asked
    return best
