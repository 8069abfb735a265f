"""The access log holds no address, no token and nothing of patients."""

from __future__ import annotations

import json
import logging

from tests.server.examples import STUDY, address, prepare

from bingcheng.archive.authorisation import Scope


def test_a_line_a_request_with_the_pattern_in_place_of_the_address(served, caplog):
    caplog.set_level(logging.DEBUG)
    prepare(served)
    client, program = served.browser("site-admin"), served.program("radiologist", Scope.DICOM_READ)
    token = program.headers["authorization"].split()[1]
    secret = client.cookies["bingcheng"]
    link = address(served, "/invitation/{secret}")
    program.get("/api/me?PatientName=Doe%5EJane")
    client.get(f"/admin/audit?study_uid={STUDY}&login=wang")
    served.anonymous().get(link)
    served.anonymous().get("/login?next=/x%3Fsecret")
    served.anonymous().get("/nope/Doe%5EJane")
    client.post("/account/password", data={"current": "my old password", "new": "my new password"})
    lines = [json.loads(one.message) for one in caplog.records if one.name == "bingcheng.access"]
    assert [line["route"] for line in lines] == [
        "/api/me",
        "/admin/audit",
        "/invitation/{secret}",
        "/login",
        None,
        "/account/password",
    ]
    assert lines[0]["person"] == served.people["radiologist"]
    # The test's own client logs its requests too.
    written = "\n".join(one.getMessage() for one in caplog.records if one.name != "httpx")
    for kept in ("Doe", STUDY, token, secret, link.rpartition("/")[2], "wang", "my old password", "my new password"):
        assert kept not in written
