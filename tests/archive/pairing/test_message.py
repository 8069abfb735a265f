"""Signatures over HTTP messages: the published vector holds, and nothing that was changed is believed."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.pairing.making import NOON

from bingcheng.archive.pairing.key import InstallationKey, verified
from bingcheng.archive.pairing.message import (
    ANSWER_PARTS,
    REQUEST_PARTS,
    answer_parts,
    claim,
    content_digest,
    request_parts,
    same_digest,
    signature_base,
    signed,
)

OURS = InstallationKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = InstallationKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
BODY = b'{"hello": "world"}'


def test_the_signature_of_rfc_9421_b_2_6_comes_out():
    # RFC 9421, B.1.4 (test-key-ed25519) and B.2.6; Ed25519 is deterministic, so the signature is one.
    secret = b64decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF")[-32:]
    key = InstallationKey(Ed25519PrivateKey.from_private_bytes(secret))
    covered = [
        ('"date"', "Tue, 20 Apr 2021 02:07:55 GMT"),
        ('"@method"', "POST"),
        ('"@path"', "/foo"),
        ('"@authority"', "example.com"),
        ('"content-type"', "application/json"),
        ('"content-length"', "18"),
    ]
    inner = " ".join(name for name, _ in covered)
    base = signature_base(covered, f'({inner});created=1618884473;keyid="test-key-ed25519"')
    expected = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    assert key.sign(base) == b64decode(expected)
    assert verified(key.public, b64decode(expected), base)


def test_the_digest_of_rfc_9530_comes_out():
    # RFC 9530, appendix D (B.1 of RFC 3230's example): {"hello": "world"} and a line feed.
    assert content_digest(BODY + b"\n") == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"


@pytest.mark.parametrize(
    "field",
    [
        "",
        "md5=:G0VkcQ==:",
        "unixsum=:Zm9v:",
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        content_digest(BODY) + ", md5=:G0VkcQ==:",
        content_digest(b"other"),
    ],
)
def test_no_other_digest_counts(field):
    assert same_digest(content_digest(BODY), BODY)
    assert not same_digest(field, BODY)


words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)


@settings(max_examples=60)
@given(words, words, words, words, st.integers(0, 3), words)
def test_only_the_very_same_parts_hold(method, target, digest, recipient, which, other):
    covered = request_parts(method, target, digest, recipient)
    fields = signed(OURS, covered, NOON)
    said = claim(fields, REQUEST_PARTS)
    assert said.keyid == OURS.identifier
    assert said.created == NOON
    assert said.holds(OURS.public, covered)
    assert not said.holds(OTHER.public, covered)
    part = REQUEST_PARTS[which]
    if covered[part] != other:
        assert not said.holds(OURS.public, {**covered, part: other})


@settings(max_examples=60)
@given(st.lists(st.tuples(words, words), max_size=4), st.lists(st.tuples(words, words), max_size=4), words, words)
def test_two_messages_never_have_one_base(one, other, first, second):
    # The identifiers that are signed are quoted strings of ours; a value can't hold a line break, so lines are parts.
    quoted = [[(f'"{number}"', value) for number, (_, value) in enumerate(parts)] for parts in (one, other)]
    same = signature_base(quoted[0], first) == signature_base(quoted[1], second)
    assert same == ((quoted[0], first) == (quoted[1], second))


@given(st.sampled_from(["\n", "\r", "a\nb", '"\n"@method": GET']))
def test_a_line_break_is_signed_by_nobody(value):
    with pytest.raises(ValueError, match="line break"):
        signature_base([('"@target-uri"', value)], "()")


def fields_of(**changes):
    fields = dict(signed(OURS, request_parts("PUT", "https://x", "d", "r"), NOON))
    for name, (old, new) in changes.items():
        assert old in fields[name.replace("_", "-")]
        fields[name.replace("_", "-")] = fields[name.replace("_", "-")].replace(old, new)
    return fields


@pytest.mark.parametrize(
    "changes",
    [
        {"signature_input": ('"@method" ', "")},
        {"signature_input": (' "content-digest"', "")},
        {"signature_input": (' "bingcheng-recipient"', "")},
        {"signature_input": ('alg="ed25519"', 'alg="hmac-sha256"')},
        {"signature_input": (';alg="ed25519"', "")},
        {"signature_input": ('tag="bingcheng-pairing"', 'tag="other"')},
        {"signature_input": ("bingcheng=", "sig1=")},
        {"signature_input": ('"@method"', '"@method";bs')},
        {"signature_input": (";created=", ";created=-")},
        {"signature": ("bingcheng=", "sig1=")},
        {"signature": ("=:", "=::")},
    ],
)
def test_a_signature_of_another_form_is_none(changes):
    assert claim(fields_of(), REQUEST_PARTS) is not None
    assert claim(fields_of(**changes), REQUEST_PARTS) is None


def test_two_signatures_in_one_message_are_none():
    fields = fields_of()
    double = {name: f"{value}, {value}" for name, value in fields.items()}
    assert claim(double, REQUEST_PARTS) is None
    assert claim({}, REQUEST_PARTS) is None


def test_an_answer_belongs_to_one_request():
    fields = signed(OURS, answer_parts(200, "d", b"one"), NOON + timedelta(seconds=3))
    said = claim(fields, ANSWER_PARTS)
    assert said.holds(OURS.public, answer_parts(200, "d", b"one"))
    assert not said.holds(OURS.public, answer_parts(200, "d", b"two"))
    assert not said.holds(OURS.public, answer_parts(204, "d", b"one"))
    assert claim(fields, REQUEST_PARTS) is None, "an answer is no request"
