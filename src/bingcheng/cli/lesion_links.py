"""Links of lesions between exams in the terminal, by the names with which they can be changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from bingcheng.outputs.assessment import Assessment, ExamView, LinkView, MatchedExams
from bingcheng.outputs.follow_up.words import LINK_WORDS, certainty, reasons, waiting, whether_to_read
from bingcheng.outputs.language import Language, several


def addresses(exam: ExamView) -> dict[str, str]:
    """What to call each lesion of an exam, by its name: its label, or the name where labels do not tell them apart."""
    labels = {lesion.lesion: lesion.label.strip() for series in exam.series for lesion in series.lesions}
    counted = Counter(label.casefold() for label in labels.values())
    return {name: label if label and counted[label.casefold()] == 1 else name for name, label in labels.items()}


def print_links(
    console: Console, language: Language, matched: Iterable[MatchedExams], exams: Iterable[ExamView]
) -> None:
    """The links of matched exams, those that need a reader first."""
    called = {exam.uid: addresses(exam) for exam in exams}
    for one in matched:
        heading = f"{one.earlier} → {one.later}" + (f" · {one.modality}" if one.modality else "")
        console.print()
        console.print(f"[bold]{escape(heading)}[/]  [dim]{escape(one.patient)}[/]", highlight=False)
        for sentence in one.contradictions:
            console.print(Padding(escape(language.say(sentence)), (0, 0, 0, 2)), highlight=False)
        for view in sorted(one.links, key=lambda view: not view.link.needs_reader):
            _print_link(console, language, one, view, called)


def print_waiting(console: Console, language: Language, seen: Assessment) -> None:
    """How many links wait for a reader, if any do."""
    count = waiting(seen.follow_up)
    if count:
        told = several(
            "1 link between lesions of two exams needs a reader; `bingcheng lesions` lists it.",
            "{count} links between lesions of two exams need a reader; `bingcheng lesions` lists them.",
            count,
        )
        console.print(f"[yellow]{escape(language.say(told))}[/]", highlight=False)


def _print_link(
    console: Console,
    language: Language,
    matched: MatchedExams,
    view: LinkView,
    called: Mapping[str, Mapping[str, str]],
) -> None:
    say, link = language.say, view.link
    sides = ((matched.earlier, matched.earlier_uid, link.before), (matched.later, matched.later_uid, link.after))
    way = " → ".join(
        " + ".join(f"{label}:{called.get(uid, {}).get(name, name)}" for name in names)
        for label, uid, names in sides
        if names
    )
    to_read = whether_to_read(view)
    mark = "" if to_read is None else f"  [yellow]{escape(say(to_read))}[/]"
    kind, sure = escape(say(LINK_WORDS[link.kind])), escape(say(certainty(view)))
    console.print(f"  [bold]{kind}[/]  {escape(way)}  [dim]{sure}[/]{mark}", highlight=False)
    console.print(Padding(escape(language.paragraph(reasons(view))), (0, 0, 0, 6)), highlight=False)
