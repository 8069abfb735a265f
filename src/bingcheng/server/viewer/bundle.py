"""The viewer's scripts as they were put together (bundled), made quicker to read and doing the same.

A script is a table of numbered modules; one module may be made of the files of several libraries, one after the other.
Nothing that is unused was taken out of the published scripts. Two such libraries are in every start: all 1,460 drawings
of an icon set, of which some fifty are shown, and a calendar in 90 languages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

LIBRARIES = frozenset({"lucide-react", "date-fns", "date-fns-jalali", "react-day-picker"})
"""Libraries whose files do nothing when they are read but define their own names (``sideEffects`` of their
package.json), so that a file goes with its names."""
_MODULE = re.compile(r"^(\d+)(\([\w$, ]*\) \{)$", re.MULTILINE)
_END_OF_MODULES = "\n});\n// The module cache"
_SECTION = re.compile(r"^(?:;// CONCATENATED|(// EXTERNAL)) MODULE: (\S+).*\n", re.MULTILINE)
"""Where the file of a library begins, within a module that was put together from several; or where another module is
brought in, which stays, because it is run there."""
_DEFINED = re.compile(r"^(?:async )?(?:const|let|var|function\*?|class) ([\w$]+)", re.MULTILINE)
_TAKEN_APART = re.compile(r"^(?:const|let|var) [\[{]", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_LIBRARY = re.compile(r".*/node_modules/((?:@[^/]+/)?[^/]+)/")


def read_at_once(script: str) -> str:
    """The viewer's program with each module written so that browsers read it whole; another script as it is.

    A browser reads over a function first, and reads it again when it is called. Each module is called at the start:
    written in parentheses, which engines take for a sign that it will be called soon, it is read whole the first time,
    on another thread than the page's.
    """
    end = script.find(_END_OF_MODULES)
    starts = list(_MODULE.finditer(script, 0, max(end, 0)))
    if not starts:
        return script
    ends = [*(one.start() for one in starts[1:]), end]
    bodies = [script[one.end() : after].rstrip().removesuffix(",") for one, after in zip(starts, ends, strict=True)]
    if not all(body.endswith("}") for body in bodies):
        return script
    table = "".join(f"{one[1]}:(function{one[2]}{body}),\n" for one, body in zip(starts, bodies, strict=True))
    return script[: starts[0].start()] + table + script[end:]


class _Section:
    """A part of a module: one file of a library, or what stands before the first."""

    def __init__(self, text: str, file: str, *, last: bool) -> None:
        self.text = text
        self.words = Counter(_WORD.findall(text))
        self.names = frozenset(_DEFINED.findall(text))
        found = _LIBRARY.match(file)
        # The last one holds the module's end too.
        self.may_go = (
            not last
            and found is not None
            and found[1] in LIBRARIES
            and bool(self.names)
            and _TAKEN_APART.search(text) is None
        )


def without_unmentioned(script: str) -> str:
    """The script without those files of `LIBRARIES` whose names stand nowhere else in their module.

    A name counts as mentioned wherever the word stands, in a comment or in a string too: what is left out can't be
    missed. Modules speak to each other by numbers, so that no other can mention it.
    """
    starts = [found.start() for found in _MODULE.finditer(script)]
    bounds = [0, *starts, len(script)]
    return "".join(_mentioned(script[start:end]) for start, end in pairwise(bounds))


def _mentioned(module: str) -> str:
    sections = list(_sections(module))
    total: Counter[str] = Counter()
    for one in sections:
        total.update(one.words)
    kept = sections
    while True:
        gone = [one for one in kept if one.may_go and all(total[name] == one.words[name] for name in one.names)]
        if not gone:
            return "".join(one.text for one in kept)
        for one in gone:
            total.subtract(one.words)
        left = set(map(id, gone))
        kept = [one for one in kept if id(one) not in left]  # what only they mentioned may go next


def _sections(module: str) -> Iterator[_Section]:
    found = list(_SECTION.finditer(module))
    if not found:
        yield _Section(module, "", last=True)
        return
    yield _Section(module[: found[0].start()], "", last=False)
    ends = [*(one.start() for one in found[1:]), len(module)]
    for one, end in zip(found, ends, strict=True):
        # The line with the file's name is no mention of what is in it.
        file = "" if one[1] else one[2]
        yield _Section(module[one.end() : end], file, last=end == len(module))
