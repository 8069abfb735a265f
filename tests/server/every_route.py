"""What holds of every route, asked in one test: all routes of which it does not hold are named together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.each import each

from bingcheng.archive.authorisation import Scope
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
    """Browsers and programs that are signed in, each once for as long as nobody's account or session is changed."""

    served: Any
    kept: dict[tuple[str, tuple[Scope, ...]], Any] = field(default_factory=dict)
    since: int = 0

    def of(self, who: str, *scopes: Scope) -> Any:
        """A browser of `who`, or with scopes a program."""
        # A request that may end a session makes the server ask for everybody anew: that is what it counts.
        if self.since != (now := self.served.site.believed.generation):
            self.kept.clear()
            self.since = now
        if (who, scopes) not in self.kept:
            self.kept[who, scopes] = self.served.program(who, *scopes) if scopes else self.served.browser(who)
        return self.kept[who, scopes]
