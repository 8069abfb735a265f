"""Docstrings and short texts as document nodes, without parsing them as markup: no sentence can break the build."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from docutils import nodes
from sphinx import addnodes

from bingcheng_pages.catalogues import problems

Content = str | nodes.Node | Sequence[nodes.Node]
"""What may stand in a cell or an entry."""

_CODE = re.compile(r"``(.+?)``|`([^`\s][^`]*?)`")
_LINK = re.compile(r"https?://[^\s,;)]+")
_UNDERLINE = re.compile(r"^-{3,}$")
_ITEM = re.compile(r"^- ")


def inline(text: str) -> list[nodes.Node]:
    """A sentence: what stands in backquotes as code, problem codes and addresses as links."""
    found: list[nodes.Node] = []
    end = 0
    for match in _CODE.finditer(text):
        found += _linked(text[end : match.start()])
        code = match.group(1) or match.group(2)
        found.append(problem_link(code) if code in problems() else nodes.literal(text=code))
        end = match.end()
    return found + _linked(text[end:])


def _linked(text: str) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    end = 0
    for match in _LINK.finditer(text):
        address = match.group().rstrip(".")
        found += [nodes.Text(text[end : match.start()]), nodes.reference(text=address, refuri=address)]
        end = match.start() + len(address)
    return [*found, nodes.Text(text[end:])] if text[end:] else found


def problem_link(code: str) -> nodes.Node:
    """A reference to a problem on the page of codes."""
    return link(f"problem-{code}", nodes.literal(text=code))


def link(label: str, shown: nodes.Node | str) -> nodes.Node:
    """A reference to a labelled place of another page."""
    reference = addnodes.pending_xref(
        refdomain="std", reftype="ref", reftarget=label.lower(), refexplicit=True, refwarn=True
    )
    reference += nodes.inline(text=shown) if isinstance(shown, str) else shown
    return reference


def paragraph(content: Content) -> nodes.paragraph:
    """A paragraph."""
    made = nodes.paragraph()
    made += _inline(content)
    return made


def _inline(content: Content) -> Sequence[nodes.Node]:
    if isinstance(content, str):
        return inline(content)
    return [content] if isinstance(content, nodes.Node) else content


def table(heads: Sequence[str], rows: Iterable[Sequence[Content]]) -> nodes.Node:
    """A table with one line of heads."""
    body = nodes.tbody()
    for row in rows:
        body += _row(row)
    head = nodes.thead("", _row(heads))
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=1) for _ in heads]
    group += [head, body]
    made = nodes.table("", group)
    made["classes"].append("colwidths-auto")
    return made


def _row(cells: Iterable[Content]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", cell if _block(cell) else paragraph(cell)) for cell in cells))


def _block(content: Content) -> bool:
    return isinstance(content, nodes.Body) and not isinstance(content, nodes.Inline)


def facts(pairs: Iterable[tuple[Content, Content]]) -> nodes.definition_list:
    """A short list of names and values, side by side."""
    made = entries(pairs)
    made["classes"].append("facts")
    return made


def entries(pairs: Iterable[tuple[Content, Content]]) -> nodes.definition_list:
    """A list of terms, each with what is said of it."""
    made = nodes.definition_list()
    for term, said in pairs:
        body = nodes.definition()
        body += said if _block(said) else paragraph(said)
        made += nodes.definition_list_item("", nodes.term("", "", *_inline(term)), body)
    return made


def bullets(items: Iterable[Content]) -> nodes.bullet_list:
    """A list of points."""
    made = nodes.bullet_list(bullet="-")
    for item in items:
        made += nodes.list_item("", paragraph(item))
    return made


def section(title: str, name: str, *content: nodes.Node) -> nodes.section:
    """A section with an anchor."""
    made = nodes.section(ids=[nodes.make_id(name)], names=[name.lower()])
    made += nodes.title("", "", *inline(title))
    made += content
    return made


def parts_of(docstring: str) -> Iterator[tuple[str, list[str]]]:
    """The sections of a numpy-style docstring: name (empty for the text before the first) and lines."""
    lines = docstring.splitlines()
    name, held = "", []
    for number, line in enumerate(lines):
        if number + 1 < len(lines) and _UNDERLINE.match(lines[number + 1]):
            yield name, held
            name, held = line.strip(), []
        elif not _UNDERLINE.match(line):
            held.append(line)
    yield name, held


def prose(lines: Sequence[str]) -> list[nodes.Node]:
    """Paragraphs, lists of points and indented formulas."""
    return [node for block in _blocks(lines) for node in _block_nodes(block)]


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def _block_nodes(block: list[str]) -> Iterator[nodes.Node]:
    if all(line.startswith("    ") for line in block):
        yield nodes.literal_block(text="\n".join(line[4:] for line in block), language="text")
        return
    first = next((n for n, line in enumerate(block) if _ITEM.match(line)), len(block))
    if first:
        yield paragraph(" ".join(line.strip() for line in block[:first]))
    if first < len(block):
        items: list[str] = []
        for line in block[first:]:
            if _ITEM.match(line):
                items.append(line[2:].strip())
            else:
                items[-1] += f" {line.strip()}"
        yield bullets(items)


def described(lines: Sequence[str]) -> nodes.Node:
    """The entries of a Parameters or Returns section."""
    return entries(([nodes.literal(text=term)], said) for term, said in pairs_of(lines))


def pairs_of(lines: Sequence[str]) -> list[tuple[str, str]]:
    """What a section lists: ``name : what it is``, or a name with indented lines below it."""
    pairs: list[tuple[str, str]] = []
    for line in lines:
        if not line.strip():
            continue
        if line.startswith(" ") and pairs:
            term, said = pairs[-1]
            pairs[-1] = term, f"{said} {line.strip()}".strip()
        else:
            term, _, said = line.partition(" : ")
            pairs.append((term.strip(), said.strip()))
    return pairs
