"""The addresses that answers hold are those by which people reach the server."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("headers", "root"),
    [
        ({}, "http://127.0.0.1:8080/dicomweb"),
        ({"host": "127.0.0.1"}, "http://127.0.0.1:8080/dicomweb"),  # as dicomweb-client writes it
        ({"host": "localhost:9"}, "http://localhost:9/dicomweb"),
        ({"host": "127.0.0.1", "x-forwarded-for": "10.0.0.1"}, "http://127.0.0.1/dicomweb"),
    ],
)
def test_addresses_are_the_ones_that_the_client_has_reached(filled, headers, root):
    answer = filled.get("/studies", headers=headers)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert all(one["00081190"]["Value"][0].startswith(f"{root}/studies/") for one in found)
