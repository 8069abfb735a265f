"""Which of the things on offer a client gets (PS3.18 8.7.5; RFC 9110 12.5.1)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.archive.dicomweb.media_types import DICOM_JSON, LONGEST, OCTETS, Offer, accepted, chosen, media_type
from bingcheng.core.errors import InputError, RefusedError

JLS, LITTLE = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.1"
STORED = Offer(kind="image/jls", multipart=True, syntax=JLS)
STORED_AS_OCTETS = Offer(kind=OCTETS, multipart=True, syntax=JLS, implied=False, says="image/jls")
DECODED = Offer(kind=OCTETS, multipart=True, syntax=LITTLE)
ALONE = Offer(kind=OCTETS, syntax=LITTLE)
OFFERS = (STORED, STORED_AS_OCTETS, DECODED, ALONE)


@pytest.mark.parametrize(
    ("accept", "offer"),
    [
        (None, STORED),
        ("", STORED),
        ("*/*", STORED),
        ("*", STORED),
        ('multipart/related; type="*/*"', STORED),
        ("multipart/related", STORED),
        ('multipart/related; type="image/jls"', STORED),
        ("multipart/related; type=image/jls; transfer-syntax=1.2.840.10008.1.2.4.80", STORED),
        ('multipart/related; type="image/*"', STORED),
        ("multipart/related; type=application/octet-stream; transfer-syntax=*", STORED_AS_OCTETS),
        ('Multipart/Related;TYPE="Application/Octet-Stream"', DECODED),
        (f'multipart/related; type="application/octet-stream"; transfer-syntax="{LITTLE}"', DECODED),
        ("application/octet-stream", ALONE),
        ('multipart/related; type="image/jls"; q=0.2, multipart/related; type="application/octet-stream"', DECODED),
        ('multipart/related; type="image/jls"; q=0, */*', STORED_AS_OCTETS),
        ("text/html, application/octet-stream;q=0.5", ALONE),
    ],
)
def test_a_client_gets_what_it_asked_for(accept, offer):
    assert chosen(accepted(accept), OFFERS) is offer


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "image/jls",
        'multipart/related; type="application/dicom"',
        "multipart/related; type=image/jls; transfer-syntax=1.2.3",
        "*/*; q=0",
        "multipart/mixed; type=image/jls",
    ],
)
def test_a_client_that_wants_something_else_is_told_what_there_is(accept):
    with pytest.raises(RefusedError) as refused:
        chosen(accepted(accept), OFFERS)
    assert refused.value.code == "archive.not-acceptable"
    assert 'multipart/related; type="image/jls"' in str(refused.value)


@pytest.mark.parametrize(
    "accept",
    ["nonsense", "a/b/c", "a/b; q=2", "a/b; q=x", "a/b; =c", 'a/b; c="open', "/", "a/b c/d", "a" * (LONGEST + 1)],
)
def test_what_is_no_media_type_is_as_if_it_were_not_there(accept):
    # 8.7.7: values that are not valid are ignored; the others hold.
    with pytest.raises(RefusedError):
        chosen(accepted(accept), OFFERS)
    assert chosen(accepted(f"application/octet-stream, {accept}"), OFFERS) is ALONE


@pytest.mark.parametrize("parameter", ["nonsense", "a/b; q=2", 'a/b; c="open', "a/" + "a" * LONGEST])
def test_in_the_address_it_is_an_error(parameter):
    # 8.3: an invalid value of a supported parameter.
    with pytest.raises(InputError) as refused:
        accepted("*/*", parameter)
    assert refused.value.code == "archive.bad-accept"


def test_the_query_parameter_goes_before_the_header():
    found, other = accepted("image/png", "application/dicom json")
    assert (found.kind, other.kind) == (DICOM_JSON, "image/png")


def test_the_header_holds_where_nothing_of_the_address_can_be_given():
    # 8.7.8.1, steps 2 to 5.
    assert chosen(accepted("application/octet-stream", "image/jls"), OFFERS) is ALONE
    assert chosen(accepted("*/*", "text/html"), OFFERS) is STORED
    assert chosen(accepted("application/octet-stream", "multipart/related; type=image/jls"), OFFERS) is STORED
    with pytest.raises(RefusedError):
        chosen(accepted("text/html", "text/plain"), OFFERS)


def test_the_most_specific_range_says_the_quality():
    ranges = accepted("application/*;q=0.9, application/dicom+json;q=0.1, application/json;q=0.5")
    assert chosen(ranges, [Offer(kind=DICOM_JSON), Offer(kind="application/json")]).kind == "application/json"


def test_quoted_values_may_hold_what_separates_others():
    found = media_type(r'a/b; c="x;y,z\"w"; d=e')
    assert dict(found.parameters) == {"c": 'x;y,z"w', "d": "e"}


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_no_accept_field_does_anything_but_be_read_or_refused(accept):
    try:
        ranges = accepted(accept)
    except InputError:
        return
    with suppress(RefusedError):
        assert chosen(ranges, OFFERS) in OFFERS
