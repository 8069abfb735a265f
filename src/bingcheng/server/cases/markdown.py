"""A small part of Markdown as HTML: everything is escaped first, so that only our own tags are in the result.

Known: paragraphs, lists (``-``), quotations (``>``), ``**strong**``, ``*emphasis*``, ``code``, addresses with https.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

_INLINE = re.compile(
    r"(?P<code>`[^`\n]+`)|\*\*(?P<strong>[^*\n]+)\*\*|(?<![\w*])\*(?P<em>[^*\n]+)\*(?![\w*])"
    r"|(?P<link>https://[^\s<>&\"'`]{3,300})|(?P<mention>(?<![\w@])@[\w.-]{3,64})"
)


def rendered(words: str) -> Markup:
    """Markdown as HTML that is safe to show."""
    return Markup("").join(_blocks(words.replace("\r\n", "\n")))


def _blocks(words: str) -> Iterator[Markup]:
    for block in re.split(r"\n\s*\n", words.strip()):
        lines = block.split("\n")
        if all(line.startswith("- ") for line in lines):
            items = Markup("").join(Markup("<li>{}</li>").format(_inline(line[2:])) for line in lines)
            yield Markup("<ul>{}</ul>").format(items)
        elif all(line.startswith(">") for line in lines):
            yield Markup("<blockquote><p>{}</p></blockquote>").format(_lines([line[1:].strip() for line in lines]))
        elif block.strip():
            yield Markup("<p>{}</p>").format(_lines(lines))


def _lines(lines: list[str]) -> Markup:
    return Markup("<br>").join(_inline(line) for line in lines)


def _inline(line: str) -> Markup:
    parts, at = [], 0
    for found in _INLINE.finditer(line):
        parts.append(escape(line[at : found.start()]))
        parts.append(_tagged(found))
        at = found.end()
    parts.append(escape(line[at:]))
    return Markup("").join(parts)


def _tagged(found: re.Match[str]) -> Markup:
    match found.lastgroup:
        case "code":
            return Markup("<code>{}</code>").format(found[0][1:-1])
        case "strong":
            return Markup("<strong>{}</strong>").format(found["strong"])
        case "em":
            return Markup("<em>{}</em>").format(found["em"])
        case "mention":
            return Markup('<b class="mention">{}</b>').format(found[0])
        case _:
            return Markup('<a href="{0}" rel="noopener noreferrer nofollow">{0}</a>').format(found["link"])
