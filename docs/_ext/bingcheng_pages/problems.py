"""The page of codes: every problem that the program can name, what it says, what to do, and who can do it."""

from __future__ import annotations

from itertools import groupby

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bingcheng.core.errors import Problem
from bingcheng_pages.catalogues import problems
from bingcheng_pages.prose import inline, paragraph, section

FLOORS = {
    "archive": "The workspace",
    "cli": "The command line",
    "compare": "Comparison",
    "core": "Measures and plug-ins",
    "dicom": "DICOM files and series",
    "engine": "The run",
    "image": "Images and masks",
    "outputs": "Outputs",
    "protocol": "Protocols and protocol files",
    "quality": "Image quality",
    "quantify": "Tumour measurements",
}


class ProblemsDirective(SphinxDirective):
    """All problems, floor by floor; each has an anchor."""

    def run(self) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for floor, group in groupby(problems(), key=lambda one: one.code.split(".")[0]):
            found.append(section(FLOORS.get(floor, floor), f"problems-{floor}", self._list(list(group))))
        return found

    def _list(self, group: list[Problem]) -> nodes.definition_list:
        made = nodes.definition_list(classes=["problems"])
        for one in group:
            label = f"problem-{one.code}"
            anchor = nodes.make_id(label)
            term = nodes.term("", "", nodes.literal(text=one.code), ids=[anchor])
            self.env.get_domain("std").note_hyperlink_target(label, self.env.docname, anchor, one.code)
            body = nodes.definition()
            body += paragraph(f"{_sentence(one.says)}")
            body += paragraph([nodes.strong(text="What to do: "), *inline(one.remedy)])
            body += paragraph([nodes.strong(text="Who: "), nodes.Text(one.owner.value)])
            made += nodes.definition_list_item("", term, body)
        return made


def _sentence(says: str) -> str:
    shown = says.replace("{", "‹").replace("}", "›")
    return f"{shown[0].upper()}{shown[1:]}."
