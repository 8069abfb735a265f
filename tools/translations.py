"""Collects every sentence that people see, keeps the Chinese catalogue complete, and compiles it.

`python tools/translations.py` updates the catalogue and compiles it; `--check` changes nothing and fails if a sentence
lacks its Chinese, loses one of its places, or if the compiled catalogue is stale; `--missing` prints what lacks.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "bingcheng"
FOLDER = SOURCE / "locale" / "zh_CN" / "LC_MESSAGES"
PO, MO = FOLDER / "bingcheng.po", FOLDER / "bingcheng.mo"

SPEAKERS = frozenset({"text", "_", "several", "plural", "_n", "say"})
"""Calls whose string arguments are sentences."""
DESCRIBED = {"Problem": ("says", "remedy"), "measure": ("label",), "Part": ("label",)}
"""Calls that describe a thing of the catalogue, and which of their arguments people read."""
SPOKEN_ENUMS = frozenset(
    {
        "Outcome",
        "Level",
        "Trust",
        "Verdict",
        "Owner",
        "SubjectKind",
        "Robustness",
        "ImageMethod",
        "MaskMethod",
        "Alignment",
    }
)
SPOKEN_KEYS = frozenset(
    {
        "title", "remedy", "note", "reason", "sentence", "says", "explanation", "label", "summary", "because", "why",
        "intent", "description", "advice", "text", "indication", "authority",
    }
)  # fmt: skip
"""Keys of the data files (protocols, repeatability) whose values people read."""
SPOKEN_WORDS = ("a.u.", "counts", "manual", "semiautomatic", "automatic")
"""Units' symbols and ways of drawing that are words; they reach people from tables and headers, not as sentences."""
UNDATED = datetime(2026, 1, 1, tzinfo=UTC)
"""One date for all, so that the same sentences give the same files; git knows when they changed."""

Message = tuple[str, str]
"""A sentence and the file, relative to the repository, in which it stands."""


def sentences() -> dict[str, set[str]]:
    """Every sentence with the files in which it stands."""
    found: dict[str, set[str]] = {}
    for message, where in (
        *_python(),
        *_templates(),
        *_data(),
        *((word, "words of tables and headers") for word in SPOKEN_WORDS),
    ):
        if message.strip():
            found.setdefault(message, set()).add(where)
    for message in _catalogued():
        found.setdefault(message, {"the catalogue"})
    return found


def _python() -> Iterator[Message]:
    for path in sorted(SOURCE.rglob("*.py")):
        where = path.relative_to(SOURCE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            if isinstance(node, ast.Call):
                yield from ((message, where) for message in _of_call(node))
            elif isinstance(node, ast.ClassDef) and node.name in SPOKEN_ENUMS:
                yield from ((message, where) for message in _of_enum(node))


def _of_call(node: ast.Call) -> Iterator[str]:
    plain = isinstance(node.func, ast.Name)
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name == "text" and not plain:
        return  # the text of an entry of a header, not a sentence
    if name in SPEAKERS:
        for argument in node.args:
            yield from _strings(argument)
    elif name in DESCRIBED:
        for keyword in node.keywords:
            if keyword.arg in DESCRIBED[name]:
                yield from _strings(keyword.value)


def _strings(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _strings(node.body)
        yield from _strings(node.orelse)


def _of_enum(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            yield from _strings(statement.value)


def _templates() -> Iterator[Message]:
    environment = Environment(autoescape=True)
    for path in sorted(SOURCE.rglob("*.jinja")):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        for _, _, strings in extract_from_ast(tree, gettext_functions=("_", "_n"), babel_style=False):
            yield from ((message, path.relative_to(SOURCE).as_posix()) for message in strings if message)


def _data() -> Iterator[Message]:
    for path in sorted(SOURCE.rglob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        yield from ((message, path.relative_to(SOURCE).as_posix()) for message in _spoken(content))


def _spoken(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            if key in SPOKEN_KEYS and isinstance(value, str):
                yield value
            else:
                yield from _spoken(value)
    elif isinstance(content, list):
        for value in content:
            yield from _spoken(value)


def _catalogued() -> Iterable[str]:
    """What the installed catalogue describes, for labels that no literal call shows."""
    from bingcheng.core.catalogue import Catalogue  # noqa: PLC0415 - imports every floor; only here is that needed
    from bingcheng.core.errors import Problem  # noqa: PLC0415
    from bingcheng.core.measure import Measure  # noqa: PLC0415
    from bingcheng.quantify.radiomics.families import all_features  # noqa: PLC0415

    floors = ("core", "image", "dicom", "protocol", "quality", "quantify", "compare", "outputs", "archive", "engine")
    packages = tuple(f"bingcheng.{floor}" for floor in floors)
    for problem in Catalogue.of(Problem, *packages):
        yield from (problem.says, problem.remedy)
    for measure in Catalogue.of(Measure, "bingcheng.quality", "bingcheng.quantify"):
        yield measure.label
        yield from (part.label for part in measure.parts.values())
    yield from (entry.feature.label for entry in all_features())


def catalogue() -> Catalog:
    """The Chinese catalogue as it is stored; an empty one if it is not."""
    if not PO.exists():
        return Catalog(locale="zh_CN", project="Bingcheng", charset="utf-8")
    with PO.open("rb") as stream:
        return read_po(stream, locale="zh_CN")


def updated(stored: Catalog, found: dict[str, set[str]]) -> Catalog:
    """The catalogue of exactly the sentences found, with what Chinese is known for them."""
    known = {**{m.id: m.string for m in stored.obsolete.values()}, **{m.id: m.string for m in stored if m.id}}
    made = Catalog(
        locale="zh_CN",
        project="Bingcheng",
        version="",
        copyright_holder="The Bingcheng developers",
        msgid_bugs_address="",
        last_translator="",
        language_team="",
        charset="utf-8",
        fuzzy=False,
        creation_date=UNDATED,
        revision_date=UNDATED,
    )
    for message in sorted(found):
        made.add(message, known.get(message, ""), locations=[(where, None) for where in sorted(found[message])])
    for message in sorted(str(message) for message in set(known) - set(found) if known[message]):
        made.obsolete[message] = Catalog().add(message, known[message])
    return made


def faults(messages: Catalog) -> list[str]:
    """What is wrong with the catalogue, a line each."""
    said = []
    for message in messages:
        if not message.id:
            continue
        if not message.string:
            said.append(f"has no Chinese: {message.id}")
        elif _places(str(message.string)) != _places(str(message.id)):
            said.append(f"its Chinese has other places than {sorted(_places(str(message.id)))}: {message.id}")
    return said


def _places(sentence: str) -> set[str]:
    try:
        return {name for _, name, _, _ in Formatter().parse(sentence) if name}
    except ValueError:
        # Sentences that are never filled in may hold a lone brace.
        return set(re.findall(r"\{(\w+)\}", sentence))


def compiled(messages: Catalog) -> bytes:
    """The binary catalogue; the same messages give the same bytes."""
    stream = io.BytesIO()
    write_mo(stream, messages)
    return stream.getvalue()


def written(messages: Catalog, *, prune: bool) -> bytes:
    """The text of the catalogue."""
    stream = io.BytesIO()
    write_po(stream, messages, width=120, include_lineno=False, ignore_obsolete=prune)
    return stream.getvalue()


def main() -> int:
    """Update, check or list; the exit status says whether anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the catalogue is not complete")
    parser.add_argument("--missing", action="store_true", help="change nothing; print the sentences without Chinese")
    parser.add_argument("--prune", action="store_true", help="drop the Chinese of sentences that no longer exist")
    arguments = parser.parse_args()
    messages = updated(catalogue(), sentences())
    said = faults(messages)
    if arguments.missing:
        sys.stdout.writelines(f"{message.id!r}\n" for message in messages if message.id and not message.string)
        return 0
    if arguments.check:
        if not MO.exists() or MO.read_bytes() != compiled(messages):
            said.append("the compiled catalogue is stale: run `python tools/translations.py`")
    else:
        FOLDER.mkdir(parents=True, exist_ok=True)
        PO.write_bytes(written(messages, prune=arguments.prune))
        MO.write_bytes(compiled(messages))
    for line in said:
        print(line)
    if not said:
        print(f"{len(messages)} sentences, all with their Chinese")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
