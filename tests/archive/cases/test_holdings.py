"""What stands in the space of a case is what belongs to it now, and nothing that it showed before."""

from __future__ import annotations

from tests.archive.pairing.making import image

from bingcheng.archive.cases.holdings import keep_only, put
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import Origin

MADE = Origin(kind="derived", peer="case")
SPACE, OTHER = "case/1", "case/2"


def held(objects, space=SPACE) -> list[bytes]:
    found = objects.studies(Query(), [space])
    instances = [one for study in found for one in objects.instances_of([space], study.study_uid)]
    return sorted(objects.path(one).read_bytes() for one in instances)


def test_an_image_that_is_made_anew_takes_the_place_of_what_stood_there(two):
    first, second = image(1), image(2)
    anew = first[:-200] + bytes(200)
    objects = Objects.open(two.workspace)
    for space in (SPACE, OTHER):
        for data in (first, second):
            put(objects, data, space=space, origin=MADE)
    before = put(objects, first, space=SPACE, origin=MADE)
    for _ in range(2):
        after = put(objects, anew, space=SPACE, origin=MADE)
        assert after.sop_instance_uid == before.sop_instance_uid
        assert held(objects) == sorted([anew, second])
        assert objects.conflicts([SPACE, OTHER]) == []
    assert held(objects, OTHER) == sorted([first, second])
    keep_only(objects, SPACE, {before.sop_instance_uid})
    assert (held(objects), len(held(objects, OTHER))) == ([anew], 2)
    keep_only(objects, SPACE, ())
    assert held(objects) == []
    objects.close()
