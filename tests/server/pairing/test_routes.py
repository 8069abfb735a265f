"""What another installation may ask: only by its signature, only once, and only what it is allowed."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.archive.pairing.making import NOON, Room, image, pointed
from tests.server.pairing.asking import PREFIX, PUBLIC, paired

from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.authorisation import Role, Scope
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.pairing import bundles, peers
from bingcheng.archive.pairing.bundles import BundleState
from bingcheng.archive.pairing.key import InstallationKey, verified
from bingcheng.archive.pairing.message import ANSWER_PARTS, DIGEST, answer_parts, claim, content_digest, same_digest
from bingcheng.archive.pairing.numbers import read_numbers
from bingcheng.archive.pairing.offering import PURPOSE, manifest_of
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.workspace import Workspace
from bingcheng.server.pairing import case_room
from bingcheng.server.pairing.answers import DOCUMENT_SIGNATURE, document_signature
from bingcheng.server.pairing.offer_case import everything, offer_case, withdraw_case
from bingcheng.server.pairing.signed import LARGEST_BODY, Signed
from bingcheng.server.security.guards import guarded_routes

IMAGES = [image(number) for number in range(3)]


@pytest.fixture
def served(serve):
    made = serve(public_url=PUBLIC)
    made.application.state.case_room = Room(first=501)
    return made


def code(answer) -> str:
    return answer.json()["code"]


def test_a_paired_installation_is_answered_with_a_signature_that_belongs_to_its_request(served):
    south = paired(served, [Permission.PULL_CASES])
    answer, asked = south.request("GET", "/hello")
    assert answer.status_code == 200
    assert answer.json() == {"may": ["pull-cases"], "form": 3}
    here = InstallationKey.of(served.site.workspace.folder)
    said = claim(answer.headers, ANSWER_PARTS)
    request_signature = document_signature({DOCUMENT_SIGNATURE: asked["signature"].split(":")[1]})
    digest = answer.headers[DIGEST]
    assert said.holds(here.public, answer_parts(200, digest, request_signature))
    assert not said.holds(here.public, answer_parts(200, digest, bytes(64)))
    assert same_digest(digest, answer.content)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "spoilt",
    [
        {"signed_method": "PUT"},
        {"target": f"{PUBLIC}{PREFIX}/offers"},
        {"target": f"http://north.example{PREFIX}/hello"},
        {"target": f"https://south.example{PREFIX}/hello"},
        {"target": f"{PUBLIC}{PREFIX}/hello?x=1"},
        {"recipient": "0" * 64},
        {"key": InstallationKey.new()},
        {"fields": {"signature": ""}},
        {"fields": {"signature-input": ""}},
        {"fields": {"signature": f"bingcheng=:{b64encode(bytes(64)).decode()}:"}},
        {"fields": {"content-digest": content_digest(b"x")}},
    ],
)
def test_a_request_with_a_wrong_signature_is_that_of_a_stranger(served, spoilt):
    answer, _ = paired(served).request("GET", "/hello", **spoilt)
    assert (answer.status_code, code(answer)) == (403, "archive.not-paired")


def test_the_same_request_again_is_refused_and_recorded(served):
    south = paired(served)
    first, fields = south.request("GET", "/hello")
    again = served.anonymous().get(f"{PREFIX}/hello", headers=fields)
    assert first.status_code == 200
    assert (again.status_code, code(again)) == (403, "archive.replayed")


@pytest.mark.parametrize("later_s", [-301, 301])
def test_a_clock_that_goes_wrong_is_said_to(served, later_s):
    answer, _ = paired(served).request("GET", "/hello", later_s=later_s)
    assert (answer.status_code, code(answer)) == (403, "archive.clocks-differ")


def page_of(served, number):
    operator = served.browser("operator")
    operator.cookies.set("__Host-bingcheng", operator.cookies["bingcheng"], domain="127.0.0.1")
    answer = operator.get(f"/admin/pairing/{number}".rstrip("/"))
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("later_s", "said"), [(1200, "is 20 min ahead of"), (-86_400, "is 1440 min behind")], ids=["ahead", "behind"]
)
def test_whoever_refuses_for_the_time_sees_by_how_much_and_for_whom(served, later_s, said):
    asking = paired(served)
    assert "by a time server" not in page_of(served, asking.number)
    asking.request("GET", "/hello", later_s=later_s)
    shown = page_of(served, asking.number)
    assert said in shown
    assert "the clocks differ" in page_of(served, "")
    assert "sets it by a time server" in shown
    served.application.state.recorder.flush()
    with served.site.workspace.reading() as connection:
        found = [one.event for one in events(connection, Asked(of_installation=True))]
    refused = next(one for one in found if one.what == "pair" and one.outcome)
    assert (refused.subject, refused.login != "") == (f"peer/{asking.number}", True)
    answer, _ = asking.request("GET", "/hello")
    assert answer.status_code == 200
    assert said not in page_of(served, asking.number), "the clocks agree again"
    assert "the clocks differ" not in page_of(served, "")


def test_a_clock_is_believed_of_nobody_but_the_holder_of_the_key(served):
    asking = paired(served)
    answer, _ = asking.request("GET", "/hello", later_s=1200, key=InstallationKey.new())
    assert code(answer) == "archive.not-paired"
    assert "min ahead" not in page_of(served, asking.number)


@pytest.mark.parametrize(
    "digest", ["", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:", "unixsum=:MA==:", content_digest(b"") + ", md5=:x:"]
)
def test_a_weaker_digest_is_none(served, digest):
    answer, _ = paired(served).request("PUT", "/numbers", b"", digest=digest)
    assert (answer.status_code, code(answer)) == (403, "archive.wrong-digest")


def test_content_that_was_changed_on_its_way_is_refused(served):
    answer, _ = paired(served).request("PUT", "/numbers", b"{}", sent=b"{ }")
    assert (answer.status_code, code(answer)) == (403, "archive.wrong-digest")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.integers(0, 7))
def test_one_bit_of_a_signature_is_enough(served, at, bit):
    south = paired(served)
    _, fields = south.request("GET", "/offers")
    value = bytearray(document_signature({DOCUMENT_SIGNATURE: fields["signature"].split(":")[1]}))
    value[at % len(value)] ^= 1 << bit
    spoilt = {**fields, "signature": f"bingcheng=:{b64encode(bytes(value)).decode()}:"}
    answer = served.anonymous().get(f"{PREFIX}/offers", headers=spoilt)
    assert (answer.status_code, code(answer)) == (403, "archive.not-paired")


def test_an_unconfirmed_and_a_revoked_installation_are_strangers(served):
    for south in (paired(served, confirmed=False), paired(served)):
        with served.site.workspace.writing() as connection:
            peers.revoke(connection, south.number, served.clock())
        answer, _ = south.request("GET", "/hello")
        assert (answer.status_code, code(answer)) == (403, "archive.not-paired")


def test_refusals_are_recorded_under_the_name_of_the_key(served):
    south = paired(served, [])
    answer, _ = south.request("GET", "/numbers")
    assert code(answer) == "archive.peer-not-permitted"
    with served.site.workspace.reading() as connection:
        found = next(events(connection, Asked(failed=True))).event
    assert found.login == f"installation/{south.key.identifier[:16]}"
    assert found.subject == f"peer/{south.number}"


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("PUT", "/bundles/" + "0" * 32, Permission.PUSH_CASES),
        ("PUT", "/bundles/" + "0" * 32 + "/objects/" + "0" * 64, Permission.PUSH_CASES),
        ("POST", "/bundles/" + "0" * 32 + "/complete", Permission.PUSH_CASES),
        ("GET", "/offers", Permission.PULL_CASES),
        ("GET", "/bundles/" + "0" * 32, Permission.PULL_CASES),
        ("GET", "/bundles/" + "0" * 32 + "/objects/" + "0" * 64, Permission.PULL_CASES),
        ("PUT", "/numbers", Permission.PUSH_STATISTICS),
        ("GET", "/numbers", Permission.PULL_STATISTICS),
    ],
)
def test_each_thing_is_allowed_by_itself(served, method, path, permission):
    without = paired(served, set(Permission) - {permission})
    answer, _ = without.request(method, path)
    assert (answer.status_code, code(answer)) == (403, "archive.peer-not-permitted")
    answer, _ = paired(served, [permission]).request(method, path)
    assert answer.status_code != 403


def signed_routes(served):
    return [
        (method, route)
        for route in guarded_routes(served.application)
        if isinstance(route.guard, Signed)
        for method in route.methods - {"HEAD", "OPTIONS"}
    ]


def test_no_person_and_no_token_opens_a_route_of_installations(serve):
    served = serve()
    found = signed_routes(served)
    assert len(found) == 10
    assert all(route.path.startswith(PREFIX) for _, route in found)
    for method, route in found:
        path = re.sub(r"{\w+}", "0" * 32, route.path)
        clients = [served.anonymous(), *map(served.browser, Role), served.program("radiologist", *Scope)]
        for client in clients:
            answer = client.request(method, path)
            assert (answer.status_code, code(answer)) == (403, "archive.not-paired"), (method, path)


def test_no_other_route_takes_a_signature(served):
    south = paired(served)
    for route in guarded_routes(served.application):
        if isinstance(route.guard, Signed) or not hasattr(route.guard, "actions"):
            continue
        for method in route.methods - {"HEAD", "OPTIONS"}:
            path = re.sub(r"{\w+(:\w+)?}", "1", route.path)
            _, fields = south.request("GET", "/hello", target=f"{PUBLIC}{path}", signed_method=method)
            answer = served.anonymous().request(method, path, headers={**fields, "accept": "application/json"})
            assert answer.status_code == 401, (method, path)


def publish(served):
    where = served.site
    room = served.application.state.case_room
    return where, room, room.publish(where.objects, IMAGES)


def check_offered(where, to: int) -> None:
    """What the courier does before a case may leave."""
    with where.workspace.writing() as connection:
        for one in bundles.bundles_of(connection, to, incoming=False):
            bundles.move(connection, one.number, BundleState.OFFERED, NOON)


def test_an_offered_case_is_fetched_whole_and_only_by_whom_it_is_offered_to(served):
    where, room, case = publish(served)
    south, east = paired(served), paired(served)
    offer_case(where, room, case, [south.number], push=False)
    assert south.request("GET", "/offers")[0].json() == {"offers": []}, "not before its objects were looked through"
    check_offered(where, south.number)
    (name,) = south.request("GET", "/offers")[0].json()["offers"]
    given, _ = south.request("GET", f"/bundles/{name}")
    manifest = json.loads(given.content)
    assert {one["sha256"] for one in manifest["objects"]} == {content_of(data) for data in IMAGES}
    for listed in manifest["objects"]:
        data = b""
        while len(data) < listed["size"]:
            path = f"/bundles/{name}/objects/{listed['sha256']}"
            data += south.request(
                "GET", f"{path}?offset={len(data)}", target=f"{PUBLIC}{PREFIX}{path}?offset={len(data)}"
            )[0].content
        assert data in IMAGES
    assert east.request("GET", "/offers")[0].json() == {"offers": []}
    for path in (f"/bundles/{name}", f"/bundles/{name}/objects/{listed['sha256']}"):
        answer, _ = east.request("GET", path)
        absent, _ = east.request("GET", path.replace(name, "f" * 32))
        assert (answer.status_code, answer.content) == (absent.status_code, absent.content) == (404, absent.content)
    assert withdraw_case(where, case) == 1
    assert south.request("GET", f"/bundles/{name}")[0].status_code == 404
    assert south.request("GET", "/offers")[0].json() == {"offers": []}


def test_key_images_are_told_to_whom_can_read_them_and_for_good_once_they_are(served):
    where, room, _ = publish(served)
    case = room.publish(where.objects, IMAGES, pointed(IMAGES, x=3.0, y=4.0, note="Here"))
    late, early = paired(served), paired(served)
    offer_case(where, room, case, [late.number, early.number], push=False)
    for one, asked, told in ((late, "?form=2", 1), (early, "", 0), (early, "?form=2", 0), (late, "", 1)):
        check_offered_first(where, one.number)
        (name,) = one.request("GET", "/offers")[0].json()["offers"]
        given, _ = one.request("GET", f"/bundles/{name}{asked}")
        assert len(json.loads(given.content)["content"].get("key_images", ())) == told
        here = InstallationKey.of(where.workspace.folder)
        assert verified(here.public, document_signature(given.headers), PURPOSE + given.content)
    assert late.request("GET", f"/bundles/{name}?form=0")[0].status_code == 422


def check_offered_first(where, to: int) -> None:
    with where.workspace.writing() as connection:
        for one in bundles.bundles_of(connection, to, incoming=False):
            if one.state is BundleState.CHECKING:
                bundles.move(connection, one.number, BundleState.OFFERED, NOON)


def content_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def elsewhere(tmp_path, key: InstallationKey):
    """The same case as the other installation would send it: manifest, its signature, and the objects' bytes."""
    workspace = Workspace.open(tmp_path / "elsewhere")
    objects, room = Objects.open(workspace), Room()
    case = room.publish(objects, IMAGES)
    bundle = room.export_case(None, case)
    written = manifest_of(bundle, everything(objects, bundle.space), key.identifier).written()
    objects.close()
    workspace.close()
    return written, key.sign(PURPOSE + written)


def test_a_case_is_pushed_and_withdrawn(served, tmp_path):
    south = paired(served)
    written, signature = elsewhere(tmp_path, south.key)
    name = json.loads(written)["name"]
    fields = {DOCUMENT_SIGNATURE: b64encode(signature).decode()}
    begun, _ = south.request("PUT", f"/bundles/{name}", written, fields=fields)
    assert begun.json()["state"] == "coming"
    assert begun.json()["missing"] == {content_of(data): 0 for data in IMAGES}
    early, _ = south.request("POST", f"/bundles/{name}/complete")
    assert code(early) == "archive.not-complete"
    for data in IMAGES:
        path = f"/bundles/{name}/objects/{content_of(data)}?offset=0"
        assert south.request("PUT", path, data)[0].json() == {"have": len(data)}
        assert south.request("PUT", path, data)[0].json() == {"have": len(data)}, "again changes nothing"
    done, _ = south.request("POST", f"/bundles/{name}/complete")
    assert done.json() == {"state": "complete"}
    room = served.application.state.case_room
    assert room.shown == {501}
    assert len(everything(served.site.objects, "case/501")) == len(IMAGES)
    assert south.request("POST", f"/bundles/{name}/withdraw")[0].json() == {"state": "withdrawn"}
    assert room.shown == set()
    assert code(south.request("PUT", f"/bundles/{name}", written, fields=fields)[0]) == "archive.withdrawn-case"
    with served.site.workspace.reading() as connection:
        told = [one.event.what for one in events(connection, Asked())][::-1]
    assert told == ["pairing-case-begun", "pairing-case-received", "pairing-case-withdrawn"]


def test_names_that_are_none_are_not_found(served):
    south = paired(served)
    for path in ("/bundles/..%2f..", "/bundles/" + "0" * 31, "/bundles/" + "0" * 32 + "/objects/..%2f"):
        answer, _ = south.request("GET", path)
        assert answer.status_code in (403, 404), answer.text


def test_a_body_that_is_too_large_is_not_read(served):
    south = paired(served)
    answer, _ = south.request("PUT", "/numbers", bytes(LARGEST_BODY + 1))
    assert answer.status_code == 413


def test_an_installation_without_cases_says_so(served, monkeypatch):
    served.application.state.case_room = None
    monkeypatch.setattr(case_room, "ROOM", "bingcheng.archive.pairing.none")
    answer, _ = paired(served).request("POST", "/bundles/" + "0" * 32 + "/complete")
    assert (answer.status_code, code(answer)) == (403, "archive.no-cases-here")


def test_numbers_are_given_signed_and_without_small_cells(served):
    south = paired(served)
    given, _ = south.request("GET", "/numbers")
    document = read_numbers(given.content)
    assert document.origin == InstallationKey.of(served.site.workspace.folder).identifier
    assert document.hospitals == (), "nobody has exams"
    sent, _ = south.request(
        "PUT", "/numbers", given.content, fields={DOCUMENT_SIGNATURE: given.headers[DOCUMENT_SIGNATURE]}
    )
    assert code(sent) == "archive.not-whitelisted", "those of this installation, sent back, are nobody else's"
