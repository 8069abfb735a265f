"""The peers of a hospital on their pages: added, changed, tested, removed; nobody else's are seen."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.trail import Asked, events, record
from bingcheng.archive.dimse.events import DimseEvent, EventKind
from bingcheng.archive.dimse.listener import Listener
from bingcheng.archive.dimse.peers import May, Peer, add_peer, peers
from bingcheng.server.background.services import _record

SCANNER = {"ae_title": "CT1", "networks": "192.0.2.7, 198.51.100.0/24", "may": ["store", "commit"]}


def known(served):
    with served.site.workspace.reading() as connection:
        return peers(connection)


def added(served, hospital, **more) -> int:
    peer = Peer(**{"ae_title": "CT1", "networks": ("192.0.2.7",), "may": frozenset({May.STORE})} | more, space=hospital)
    with served.site.workspace.writing() as connection:
        return add_peer(connection, peer).number


def space(number: int) -> str:
    return f"hospital/{number}"


def rejected(served, title, address, *, code="1/1/3", ago=timedelta()):
    event = DimseEvent(
        at=served.clock() - ago,
        kind=EventKind.REJECTED,
        ae_title=title,
        address=address,
        succeeded=False,
        code=code,
    )
    _record(served.site, event)


def test_an_administrator_adds_changes_and_removes_a_peer_of_the_own_hospital(served):
    admin = served.browser("site-admin")
    address = admin.post("/admin/peers", data=SCANNER | {"hospital": str(served.south)}).headers["location"]
    (made,) = known(served)
    assert made.space == space(served.north)
    assert made.networks == ("192.0.2.7", "198.51.100.0/24")
    assert made.may == {May.STORE, May.COMMIT}
    assert made.host is None
    archive = {"ae_title": "PACS", "host": "pacs.example", "port": "104", "tls": "true", "note": "Third floor"}
    assert admin.post(address, data=archive).status_code == 303
    (changed,) = known(served)
    assert (changed.number, changed.ae_title, changed.host, changed.port, changed.tls) == (
        *(made.number, "PACS"),
        *("pacs.example", 104, True),
    )
    assert changed.may == frozenset()
    assert "Third floor" in admin.get("/admin/peers").text
    assert admin.post(f"{address}/remove").status_code == 303
    assert known(served) == ()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"ae_title": "A\\B"}, "application entity title"),
        ({"ae_title": ""}, "application entity title"),
        ({"networks": "192.0.2.300"}, "is not an address"),
        ({"networks": ""}, "needs addresses from which it calls"),
        ({"host": "pacs"}, "needs a host and a port"),
        ({"host": "pacs", "port": "0"}, "needs a host and a port"),
        ({"host": "pacs", "port": "٣"}, "needs a host and a port"),
        ({"host": "user@pacs", "port": "104"}, "the host of a peer"),
        ({"networks": "198.51.100.9"}, "same title"),
    ],
)
def test_what_can_not_be_a_peer_is_told_and_the_form_keeps_what_was_typed(served, wrong, says):
    admin = served.browser("site-admin")
    added(served, space(served.south), ae_title="CT1", networks=("198.51.100.9",))
    given = SCANNER | {"networks": "192.0.2.7", "note": "Scanner & co"} | wrong
    answer = admin.post("/admin/peers", data=given)
    assert answer.status_code == 400
    assert says in answer.text
    assert "Scanner &amp; co" in answer.text
    assert len(known(served)) == 1


def test_peers_of_another_hospital_are_not_shown_and_answer_as_if_they_were_not_there(served):
    number = added(served, space(served.south), note="of the south")
    admin, own = served.browser("site-admin"), added(served, space(served.north), ae_title="MR1")
    shown = admin.get("/admin/peers").text
    assert "of the south" not in shown
    assert "MR1" in shown
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/remove"), ("POST", "/echo")):
        answer = admin.request(method, f"/admin/peers/{number}{path}", data=SCANNER if method == "POST" else None)
        assert answer.status_code == 404, path
    assert {one.number for one in known(served)} == {number, own}


def test_the_operator_manages_the_peers_of_all_and_says_whose_one_is(served):
    operator = served.browser("operator")
    assert operator.post("/admin/peers", data=SCANNER).status_code == 400
    assert operator.post("/admin/peers", data=SCANNER | {"hospital": "77"}).status_code == 400
    assert operator.post("/admin/peers", data=SCANNER | {"hospital": str(served.south)}).status_code == 303
    assert [one.space for one in known(served)] == [space(served.south)]
    assert "South Hospital" in operator.get("/admin/peers").text


def test_what_a_peer_is_called_is_never_markup(served):
    admin = served.browser("site-admin")
    title = "<b>&'\"<i>"
    address = admin.post("/admin/peers", data=SCANNER | {"ae_title": title, "note": "<script>"}).headers["location"]
    rejected(served, "<u>'\"&</u>", "192.0.2.8")
    for path in ("/admin/peers", address):
        shown = admin.get(path).text
        assert "<b>" not in shown
        assert "<u>" not in shown
        assert "<script>" not in shown
        assert "&lt;b&gt;" in shown


def test_a_peer_is_called_and_the_answer_is_said_in_words(served, archive):
    port, _ = archive()
    admin = served.browser("site-admin")
    good = added(served, space(served.north), ae_title="ARCHIVE", networks=(), host="127.0.0.1", port=port)
    other = added(served, space(served.north), ae_title="OTHER", networks=(), host="127.0.0.1", port=port)
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    absent = added(served, space(served.north), ae_title="GONE", networks=(), host="127.0.0.1", port=closed)
    assert "ARCHIVE answered within" in admin.post(f"/admin/peers/{good}/echo").text
    assert "It goes by another title than OTHER" in admin.post(f"/admin/peers/{other}/echo").text
    assert "nothing listens at this port" in admin.post(f"/admin/peers/{absent}/echo").text


def test_a_peer_that_does_not_know_us_is_told_what_to_enter(served):
    with served.site.workspace.reading() as connection:
        assert peers(connection) == ()
    # A service such as ours knows nobody yet, and turns us away as a stranger.
    with Listener(served.site.workspace, served.site.objects, ae_title="THERE", port=0) as other:
        number = added(served, space(served.north), ae_title="THERE", networks=(), host="127.0.0.1", port=other.port)
        answer = served.browser("site-admin").post(f"/admin/peers/{number}/echo")
    assert "Enter our title BINGCHENG" in answer.text


def test_changes_and_tests_stand_in_the_audit_trail(served):
    admin = served.browser("site-admin")
    number = admin.post("/admin/peers", data=SCANNER).headers["location"].rpartition("/")[2]
    admin.post(f"/admin/peers/{number}/echo")
    admin.post(f"/admin/peers/{number}/remove")
    with served.site.workspace.reading() as connection:
        found = [one.event for one in events(connection, Asked(hospital=served.north))]
    told = [one for one in found if one.subject == f"peer/{number}"]
    assert [one.action for one in reversed(told)] == [EventAction.CREATE, EventAction.EXECUTE, EventAction.DELETE]
    assert {one.type_code for one in told} == {EventType.NETWORK_CONFIGURATION}


def test_who_was_turned_away_becomes_a_peer_with_one_click(serve):
    served = serve()
    added(served, space(served.north), ae_title="MR1", networks=("192.0.2.1",))
    for _ in range(3):
        rejected(served, "CT&9", "192.0.2.9")
    rejected(served, "MR1", "192.0.2.1")  # a peer by now
    rejected(served, "MR1", "192.0.2.1", code="1/1/7")  # but it calls us wrongly
    rejected(served, "OLD", "192.0.2.10", ago=timedelta(days=8))
    admin = served.browser("site-admin")
    shown = admin.get("/admin/peers").text
    assert 'href="/admin/peers?ae_title=CT%269&amp;network=192.0.2.9#add"' in shown
    assert "calls us by another title" in shown
    assert shown.count("Make a peer of it</a>") == 1
    assert "OLD" not in shown
    form = admin.get("/admin/peers?ae_title=CT%269&network=192.0.2.9").text
    assert 'value="CT&amp;9"' in form
    assert 'value="192.0.2.9"' in form


def test_nobody_learns_which_devices_call_from_the_networks_of_another_hospital(served):
    added(served, space(served.north), ae_title="MR1", networks=("192.0.2.1",))
    rejected(served, "NEAR", "192.0.2.200")
    rejected(served, "FAR", "198.51.100.4")
    rejected(served, "SIX", "2001:db8::4")
    shown = served.browser("site-admin").get("/admin/peers").text
    assert "NEAR" in shown
    assert "FAR" not in shown
    assert "SIX" not in shown
    assert "FAR" not in served.browser("other-site-admin").get("/admin/peers").text
    everything = served.browser("operator").get("/admin/peers").text
    assert "FAR" in everything
    assert "SIX" in everything


def test_when_a_peer_was_last_heard_of_is_its_own_and_no_person_s(served):
    north = added(served, space(served.north), ae_title="CT1")
    added(served, space(served.south), ae_title="MR1")

    def did(title, hospital, *, person=None, hours=0):
        event = AuditEvent(
            code=EventCode.INSTANCES_TRANSFERRED,
            action=EventAction.CREATE,
            outcome=EventOutcome.SUCCESS,
            at=served.clock() - timedelta(hours=hours),
            what="dimse-stored",
            login=title,
            person=person,
            hospital=hospital,
        )
        with served.site.workspace.writing() as connection:
            record(connection, event)

    admin = served.browser("site-admin")
    did("CT1", served.south)
    did("CT1", served.north, person=3)
    assert "not heard of" in admin.get(f"/admin/peers/{north}").text
    did("CT1", served.north, hours=5)
    assert f"{served.clock() - timedelta(hours=5):%Y-%m-%d %H:%M}" in admin.get(f"/admin/peers/{north}").text


def test_the_page_says_how_a_scanner_reaches_this_server(serve):
    assert "isn&#39;t started" in serve().browser("site-admin").get("/admin/peers").text
    here = serve(dicom_port=11112, dicom_ae_title="NORTH").browser("site-admin").get("/admin/peers").text
    assert "<code>NORTH</code>" in here
    assert "<code>11112</code>" in here
    assert "on this machine only" in here
    far = serve(dicom_port=11112, dicom_host="::").browser("site-admin").get("/admin/peers").text
    assert "on this machine only" not in far
    assert "<code>127.0.0.1</code>" in far  # as the browser named it


def test_the_page_speaks_chinese_where_wanted(served):
    shown = served.browser("site-admin").get("/admin/peers", headers={"accept-language": "zh-CN"})
    assert shown.status_code == 200
    assert shown.headers["content-language"].startswith("zh")


def test_where_several_hospitals_share_a_server_the_first_scanner_is_not_promised_in_a_list_that_stays_empty(served):
    rejected(served, "CT1", "192.0.2.7")
    shown = served.browser("site-admin").get("/admin/peers").text
    assert "Make a peer of it" not in shown
    assert "let it call once" not in shown
    assert "The first one of a hospital is entered by hand" in shown
    assert "let it call once" in served.browser("operator").get("/admin/peers").text
