"""What a person reads of de-identification in the terminal, and the same for other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bingcheng.archive.deidentify.batch import Deidentified, State
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.cli.deidentify import Tally, problems_of
from bingcheng.core.wording import text
from bingcheng.outputs.language import Language

FACTS = {
    "patient_id": text("Patient number"),
    "issuer": text("Issuer of the number"),
    "name": text("Name"),
    "birth_date": text("Birth date"),
    "uid": text("UID"),
}
MOST_FILES = 5


def print_tally(tally: Tally, target: Path | None, language: Language, *, preview: bool) -> None:
    """How many files are clean, what waits for a person, and where everything is."""
    console, say = Console(), language.say
    for one in tally.previews:
        print_preview(one, language)
    told = text(
        "{done} of {files} files are clean, of {patients} patients.",
        done=tally.done,
        files=tally.files,
        patients=len(tally.patients),
    )
    console.print(f"[bold]{escape(say(told))}[/]", highlight=False)
    if tally.done and not preview:
        proved = text("A second pass searched every byte of them and found nothing of the originals.")
        console.print(escape(say(proved)), highlight=False)
        console.print(f"{say(text('Written'))}: {escape(str(target))}", highlight=False, soft_wrap=True)
    elif preview:
        console.print(escape(say(text("Nothing was written; this is a preview."))), highlight=False)
    for listed in tally.troubles.values():
        _print_trouble(console, listed, language)
    _print_split(console, tally, language)
    for path in tally.pictures:
        console.print(f"{say(text('To look at'))}: {escape(str(path))}", highlight=False, soft_wrap=True)


def _print_split(console: Console, tally: Tally, language: Language) -> None:
    """Whose number stands with an issuer in some files and without one in others."""
    split = tally.split()
    if not split:
        return
    told = text(
        "Patient numbers that stand with an issuer in some files and without one in others: {count}. Each was taken as "
        "several patients, with dates moved differently.",
        count=len(split),
    )
    console.print(f"[yellow]{escape(language.say(told))}[/]", highlight=False)
    remedy = text("If they are the same, clean all anew and name the issuer with --issuer.")
    console.print(Padding(f"→ {escape(language.say(remedy))}", (0, 0, 0, 2)), highlight=False)
    for names in split[:MOST_FILES]:
        console.print(Padding(f"[dim]{escape(', '.join(names))}[/]", (0, 0, 0, 2)), highlight=False)


def _print_trouble(console: Console, listed: Sequence[Deidentified], language: Language) -> None:
    say, said = language.say, problems_of(listed)
    if said is None:
        return
    colour = "yellow" if listed[0].state is State.PERSON else "red"
    heading = text("{count} files: {reason}", count=len(listed), reason=said[0])
    console.print(f"[{colour}]{escape(say(heading))}[/]", highlight=False)
    for reason in dict.fromkeys(one.reason for one in listed if one.reason is not None):
        console.print(Padding(escape(say(reason)), (0, 0, 0, 2)), highlight=False)
    console.print(Padding(f"→ {escape(say(said[1]))}", (0, 0, 0, 2)), highlight=False)
    for one in listed[:MOST_FILES]:
        named = f"{one.source}  {one.sop_instance_uid}".rstrip()
        console.print(Padding(f"[dim]{escape(named)}[/]", (0, 0, 0, 2)), highlight=False, soft_wrap=True)
    if len(listed) > MOST_FILES:
        more = text("and {count} more", count=len(listed) - MOST_FILES)
        console.print(Padding(f"[dim]{escape(say(more))}[/]", (0, 0, 0, 2)), highlight=False)


def print_preview(one: Deidentified, language: Language) -> None:
    """Each attribute of a file that would not leave as it is."""
    console, say = Console(), language.say
    console.print(f"[bold]{escape(one.source)}[/]", highlight=False, soft_wrap=True)
    table = Table(box=None, padding=(0, 1, 0, 1))
    for heading in (text("Attribute"), text("Action"), text("Before"), text("After"), text("Why")):
        table.add_column(escape(say(heading)), overflow="fold")
    for row in one.changes:
        cells = (f"{row.path} {row.name}".strip(), row.action.value, row.before, row.after, say(row.reason))
        table.add_row(*map(escape, cells))
    console.print(table)


def print_nothing_found(language: Language) -> None:
    """That there were no files."""
    Console(stderr=True).print(escape(language.say(text("There are no files in it."))), highlight=False)


def print_profiles(profiles: Sequence[Profile], language: Language) -> None:
    """Each profile with what it does and its options."""
    console, say = Console(), language.say
    for one in profiles:
        console.print(f"[bold cyan]{escape(one.name)}[/]  {escape(say(one.label))}", highlight=False)
        console.print(Padding(escape(say(one.says)), (0, 0, 0, 4)), highlight=False)
        for value, meaning in one.codes:
            console.print(Padding(f"[dim]{value}  {escape(meaning)}[/]", (0, 0, 0, 4)), highlight=False)


def print_original(facts: Mapping[str, str], language: Language) -> None:
    """Whom a pseudonym stands for."""
    console = Console()
    for name, value in facts.items():
        if value:
            console.print(f"{escape(language.say(FACTS[name]))}: {escape(value)}", highlight=False, soft_wrap=True)


def profile_as_json(one: Profile, language: Language) -> dict[str, object]:
    """A profile for other programs."""
    return {
        "name": one.name,
        "label": language.say(one.label),
        "says": language.say(one.says),
        "options": sorted(option.value for option in one.options),
        "codes": [{"value": value, "scheme": "DCM", "meaning": meaning} for value, meaning in one.codes],
    }


def as_json(tally: Tally, language: Language) -> dict[str, object]:
    """The result for other programs; with a preview it holds patient data."""
    say = language.say
    troubles = []
    for code, listed in tally.troubles.items():
        said = problems_of(listed)
        troubles.append(
            {
                "code": code,
                "state": listed[0].state.value,
                "reason": say(said[0]) if said else "",
                "remedy": say(said[1]) if said else "",
                "files": [{"file": one.source, "uid": one.sop_instance_uid} for one in listed],
            }
        )
    return {
        "files": tally.files,
        "done": tally.done,
        "patients": tally.patients,
        "perhaps_one_patient": tally.split(),
        "troubles": troubles,
        "pictures": [str(path) for path in tally.pictures],
        "previews": [_preview_as_json(one, language) for one in tally.previews],
    }


def _preview_as_json(one: Deidentified, language: Language) -> dict[str, object]:
    return {
        "file": one.source,
        "state": one.state.value,
        "changes": [
            {
                "path": row.path,
                "name": row.name,
                "action": row.action.value,
                "before": row.before,
                "after": row.after,
                "reason": language.say(row.reason),
            }
            for row in one.changes
        ],
    }
