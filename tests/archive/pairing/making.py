"""De-identified cases to give to others, and a room of cases that keeps them in a list."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
from tests.archive.deidentify.making import ct, written

from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.deidentify.batch import State, deidentified
from bingcheng.archive.deidentify.key import Key
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.archive.objects.header import header
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.pairing.case_room import CaseBundle
from bingcheng.archive.pairing.manifest import CaseContent, Deidentification, Fact, PointedImage
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError

NOON = datetime(2026, 3, 2, 12, 0)  # noqa: DTZ001 - columns hold UTC without saying so
KEY = Key(b"a key for tests, of no worth at all")
TEACHING = Profile.named("teaching")
CONTENT = CaseContent(
    title="A lesion of the liver",
    context="Found by chance.",
    tags=("liver",),
    facts=(Fact(exam=1, lesion=1, key="longest_diameter", label="Longest diameter", unit="mm", value=31.5),),
)


def image(number: int, *, side: int = 64) -> bytes:
    """One de-identified slice."""
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 3000, (side, side), dtype=np.uint16).tobytes()
    dataset = ct(
        SOPInstanceUID=f"1.2.276.0.7230010.3.1.4.77.{number}",
        InstanceNumber=number,
        Rows=side,
        Columns=side,
        PixelData=pixels,
    )
    (found,) = deidentified([written(dataset)], TEACHING, KEY)
    assert found.state is State.DONE, found.problem
    return found.data


def pointed(images, **place) -> CaseContent:
    """The content with the first of these images as key image."""
    key = PointedImage(sop_uid=header(memoryview(images[0])).sop_uid, **place)
    return CONTENT.model_copy(update={"key_images": (key,)})


def deidentification(count: int) -> Deidentification:
    return Deidentification(
        profile="teaching",
        codes=tuple(code for code, _ in TEACHING.codes),
        method="original-identifiers-searched-in-bytes",
        proved=count,
        program="Bingcheng",
    )


class Room:
    """Cases in memory; a version that comes again goes into the case that it is a version of."""

    def __init__(self, first: int = 1) -> None:
        self.published: dict[int, CaseBundle] = {}
        self.imported: dict[int, CaseContent] = {}
        self.shown: set[int] = set()
        self.finished = 0
        self._known: dict[tuple[int, str], int] = {}
        self._next = first

    def publish(self, objects, images, content=CONTENT) -> int:
        number, self._next = self._next, self._next + 1
        for data in images:
            objects.receive(data, space=case_space(number), origin=Origin(kind="import", peer="test"))
        self.published[number] = CaseBundle(
            case=number,
            version=1,
            space=case_space(number),
            content=content,
            deidentification=deidentification(len(images)),
        )
        return number

    def export_case(self, connection, case):
        if case not in self.published:
            raise InputError(NO_SUCH_THING)
        return self.published[case]

    def is_published(self, connection, case):
        return case in self.published

    def check_import(self, content):
        pass

    def begin_import(self, connection, content, origin, now):
        key = (origin.peer, origin.case)
        if key not in self._known:
            self._known[key], self._next = self._next, self._next + 1
        self.imported[self._known[key]] = content
        return self._known[key]

    def finish_import(self, connection, case, content, now):
        self.finished += 1
        self.shown.add(case)

    def withdraw_import(self, connection, case, now):
        self.shown.discard(case)


def changed(bundle: CaseBundle, **content: object) -> CaseBundle:
    """The next version of a case."""
    return replace(bundle, version=bundle.version + 1, content=bundle.content.model_copy(update=content))
