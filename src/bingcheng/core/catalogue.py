"""The catalogue: finds described things by walking packages, so that one new file adds one new thing.

Measures, derived inputs, problems, protocol rules and renderers are all found by this one class. A thing is either a
function to which a description is attached (`attach`), or a module-level constant that is itself a description
(`Problem`). Nothing registers at import, so the order of imports can't matter; a duplicate key raises.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from types import MappingProxyType, ModuleType
from typing import Any, Generic, TypeVar

from bingcheng.core.errors import CatalogueError, Owner, Problem

ATTRIBUTE = "__catalogued__"

DUPLICATE_KEY = Problem(
    code="core.duplicate-key",
    says="'{key}' is described twice: in {first} and in {second}",
    remedy="Rename one of them; keys are unique over all installed packages.",
    owner=Owner.DEVELOPER,
)
BROKEN_PLUGIN = Problem(
    code="core.broken-plugin",
    says="the plug-in '{plugin}' can't be loaded ({error})",
    remedy="Repair or uninstall the package that offers it.",
    owner=Owner.DEVELOPER,
)

S = TypeVar("S")


def attach(function: Any, description: object) -> None:
    """Attach a description to a function, where `Catalogue.of` will find it."""
    setattr(function, ATTRIBUTE, description)


class Catalogue(Generic[S]):
    """Described things of one kind, by key, in the order of their keys."""

    def __init__(self, entries: Mapping[str, S]) -> None:
        self._entries: Mapping[str, S] = MappingProxyType(dict(sorted(entries.items())))

    @classmethod
    def of(cls, kind: type[S], *packages: str, entry_point_group: str | None = None) -> Catalogue[S]:
        """All descriptions of type `kind` in `packages`, and in the modules that installed plug-ins name.

        Parameters
        ----------
        kind : the class of the description; it has a string attribute `key` or `code`.
        packages : dotted names; each is walked with all its modules.
        entry_point_group : entry points whose values name further modules or packages, e.g. ``bingcheng.measures``.

        Raises
        ------
        CatalogueError
            ``core.duplicate-key``, ``core.broken-plugin``.
        """
        found: dict[str, S] = {}
        homes: dict[str, str] = {}
        for module in _modules(packages, entry_point_group):
            for description in _described(module, kind):
                key = str(getattr(description, "key", None) or getattr(description, "code", ""))
                if key in found and found[key] is not description:
                    raise CatalogueError(DUPLICATE_KEY, key=key, first=homes[key], second=module.__name__)
                found[key] = description
                homes[key] = module.__name__
        return cls(found)

    def __getitem__(self, key: str) -> S:
        return self._entries[key]

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[S]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def keys(self) -> tuple[str, ...]:
        """The keys, sorted."""
        return tuple(self._entries)


def _described(module: ModuleType, kind: type[S]) -> Iterator[S]:
    for value in list(vars(module).values()):
        if isinstance(value, kind):
            yield value
        elif getattr(value, "__module__", None) == module.__name__:
            description = getattr(value, ATTRIBUTE, None)
            if isinstance(description, kind):
                yield description


def _modules(packages: tuple[str, ...], entry_point_group: str | None) -> Iterator[ModuleType]:
    names = list(packages)
    for plugin in entry_points(group=entry_point_group) if entry_point_group else ():
        try:
            importlib.import_module(plugin.module)
        except Exception as error:
            raise CatalogueError(BROKEN_PLUGIN, plugin=plugin.name, error=f"{type(error).__name__}: {error}") from error
        names.append(plugin.module)
    for name in dict.fromkeys(names):
        module = importlib.import_module(name)
        yield module
        for inner in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
            yield importlib.import_module(inner.name)
