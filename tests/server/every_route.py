"""What holds of every route, asked in one test: all routes of which it does not hold are named together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.each import each

from bingcheng.archive.authorisation import Scope
from bingcheng.server.security.csrf import SAFE
from bingcheng.server.security.guards import GuardedRoute

Asked = tuple[str, GuardedRoute]
"""A method, and the route that answers it."""


def named(routes: Iterable[Asked]) -> list[str]:
    """How routes are called in what a test tells."""
    return [f"{method} {route.path}" for method, route in routes]


def hold(routes: Iterable[Asked], holds: Callable[[str, GuardedRoute], None]) -> None:
    """Fail with all routes of which it does not hold, each with what was found instead."""
    asked = list(routes)
    each(zip(named(asked), asked, strict=True), holds)


@dataclass
class Callers:
    """Browsers and programs that are signed in: kept for what only reads, new ones for what may end a session."""

    served: Any
    kept: dict[tuple[str, tuple[Scope, ...]], Any] = field(default_factory=dict)

    def of(self, method: str, who: str, *scopes: Scope) -> Any:
        """A browser of `who`, or with scopes a program, for a request with this method."""
        if method not in SAFE:
            self.kept.clear()
            return self._signed_in(who, scopes)
        if (who, scopes) not in self.kept:
            self.kept[who, scopes] = self._signed_in(who, scopes)
        return self.kept[who, scopes]

    def _signed_in(self, who: str, scopes: tuple[Scope, ...]) -> Any:
        return self.served.program(who, *scopes) if scopes else self.served.browser(who)
