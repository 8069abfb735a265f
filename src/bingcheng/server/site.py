"""What every handler needs: the open workspace, the received objects, the settings, the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from starlette.requests import HTTPConnection

from bingcheng.archive.audit.owed import Owed
from bingcheng.archive.people.passwords import Passwords
from bingcheng.archive.workspace import Workspace
from bingcheng.server.security.believed import Believed
from bingcheng.server.settings import Settings

if TYPE_CHECKING:
    from bingcheng.archive.objects.objects import Objects


def utc_now() -> datetime:
    """Now, in UTC, without a zone, as times stand in the database."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(slots=True, eq=False, kw_only=True)
class Site:
    """The installation that a server serves; one for each application, in ``application.state.site``.

    Parameters
    ----------
    believed : who was recognised a moment ago, so that a picture needs no query for its session.
    owed : what happened and could not be recorded yet.
    now : the clock; UTC.
    setup_code : what who started the server reads in the terminal to make the first account; None without need.
    """

    workspace: Workspace
    settings: Settings
    objects: Objects
    passwords: Passwords = field(default_factory=Passwords)
    believed: Believed = field(default_factory=Believed)
    owed: Owed = field(default_factory=Owed)
    now: Callable[[], datetime] = utc_now
    setup_code: str | None = None

    def close(self) -> None:
        """Give back the database and what the objects hold."""
        self.objects.close()
        self.workspace.close()


def site_of(request: HTTPConnection) -> Site:
    """The site of a request."""
    return cast("Site", request.app.state.site)


async def site(request: HTTPConnection) -> Site:
    """The same for handlers, which ask for it with ``Annotated[Site, Depends(site)]``.

    A coroutine, though it waits for nothing: what is none the framework hands to a thread, for every request.
    """
    return site_of(request)
