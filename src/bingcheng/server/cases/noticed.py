"""What notices are about: the titles of the cases and collections to which they lead.

They are looked up when the notices are read, and not kept with them: what was withdrawn since is named no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.collections import collections
from bingcheng.archive.cases.methods import methods
from bingcheng.server.cases.seen import readable_cases

_LINK = re.compile(r"/(cases|opinions|collections|shared)/(\d{1,9})(?:[/#?].*)?")


def what_about(connection: Connection, actor: Actor, links: Iterable[str], now: datetime) -> Mapping[str, str | None]:
    """The title of what each link leads to; None where the person may see it no longer. Other links are left out."""
    found = {link: (said[1], int(said[2])) for link in links if (said := _LINK.fullmatch(link))}
    opinion = tables.case_opinion.c
    asked = {number for kind, number in found.values() if kind == "opinions"}
    rows = connection.execute(select(opinion.id, opinion.case_id).where(opinion.id.in_(asked)))
    about: dict[tuple[str, int], tuple[str, int]] = {("opinions", row.id): ("cases", row.case_id) for row in rows}
    wanted = {link: about.get(one, one) for link, one in found.items()}
    titles = _titles(connection, actor, set(wanted.values()), now)
    return {link: titles.get(one) for link, one in wanted.items()}


def _titles(
    connection: Connection, actor: Actor, wanted: set[tuple[str, int]], now: datetime
) -> dict[tuple[str, int], str]:
    kinds, case = {kind for kind, _ in wanted}, tables.shared_case.c
    readable = readable_cases(connection, actor, sorted(number for kind, number in wanted if kind == "cases"), now)
    rows = connection.execute(select(case.id, case.title).where(case.id.in_(readable)))
    titles = {("cases", row.id): row.title for row in rows}
    if "collections" in kinds:
        titles |= {("collections", one.number): one.title for one in collections(connection, actor.hospital, now)}
    if "shared" in kinds:
        titles |= {("shared", one.number): one.title for one in methods(connection, actor.hospital, now)}
    return titles
