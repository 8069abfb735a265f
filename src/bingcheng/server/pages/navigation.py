"""The navigation: places of the platform, each shown to those who may go there, and only where it exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.core.wording import Text, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place: any of `actions` leads there. `says` is what one finds there, `also` what else belongs to it.

    To those who may do `unless` it is shown within another place. `of_hospital`: it is only for who belongs to one.
    """

    path: str
    label: Text
    says: Text
    actions: tuple[Action, ...]
    also: tuple[str, ...] = ()
    unless: Action | None = None
    of_hospital: bool = False

    def holds(self, path: str) -> bool:
        """Whether a path belongs to it."""
        return any(path == one or path.startswith(f"{one}/") for one in (self.path, *self.also))


PLACES = (
    Place(
        path="/worklist",
        label=text("Exams"),
        says=text("Find an exam, see what is to be done and what was measured."),
        actions=(Action.READ_EXAM,),
    ),
    Place(
        path="/patients",
        label=text("Patients"),
        says=text("One patient over time: exams, lesions, and what changed."),
        actions=(Action.READ_EXAM,),
    ),
    Place(
        path="/lesions",
        label=text("Lesions"),
        says=text("Which lesion is which in two exams, where a reader has to say so."),
        actions=(Action.LINK_LESIONS,),
    ),
    Place(
        path="/hospital",
        label=text("Hospital"),
        says=text("How your hospital keeps to what was agreed, its doses and its image quality."),
        actions=(Action.READ_NUMBERS,),
        of_hospital=True,
    ),
    Place(
        path="/province",
        label=text("Province"),
        says=text("All hospitals side by side, in numbers."),
        actions=(Action.COMPARE_HOSPITALS,),
    ),
    Place(
        path="/cases",
        label=text("Cases"),
        says=text("Cases to learn from and to discuss, without the patient's identity."),
        actions=(Action.READ_CASE,),
        also=("/reading", "/collections", "/opinions", "/shared", "/reported"),
    ),
    Place(
        path="/reported",
        label=text("Reported comments"),
        says=text("What readers reported about cases of your hospital."),
        actions=(Action.MODERATE,),
        unless=Action.READ_CASE,
    ),
    Place(
        path="/admin",
        label=text("Administration"),
        says=text("People, hospitals, devices that send, and who did what."),
        actions=(Action.MANAGE_PEOPLE, Action.MANAGE_HOSPITAL, Action.MANAGE_HOSPITALS, Action.READ_AUDIT),
    ),
)


def places_for(actor: Actor, paths: frozenset[str]) -> Iterator[Place]:
    """The places among `paths` (those that the application has) that `actor` may go to."""
    for place in PLACES:
        elsewhere = place.unless is not None and decide(actor, place.unless).allowed
        elsewhere = elsewhere or (place.of_hospital and actor.hospital is None)
        if place.path in paths and not elsewhere and any(decide(actor, action).allowed for action in place.actions):
            yield place
