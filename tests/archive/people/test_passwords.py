"""Which passwords are good enough, and their hashes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.archive.people.passwords import Passwords, check_password
from bingcheng.core.errors import InputError

PASSWORDS = Passwords()


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("eleven char", "archive.short-password"),
        ("x" * 257, "archive.long-password"),
        ("aaaaaaaaaaaaaaa", "archive.easy-password"),
        ("Password1234!", "archive.easy-password"),
        ("qwertyuiop123456", "archive.easy-password"),
        ("1234567890123", "archive.easy-password"),
        ("my wang.wei secret", "archive.easy-password"),
        ("MY WANG.WEI SECRET", "archive.easy-password"),
        ("YiYuanYiYuan2026", "archive.easy-password"),
    ],
)
def test_weak_passwords_are_refused(password, code):
    with pytest.raises(InputError) as raised:
        check_password(password, "wang.wei@hospital")
    assert raised.value.code == code
    assert password not in str(raised.value)


@pytest.mark.parametrize("password", ["correct horse battery", "哈尔滨冰城放射科的早晨很冷啊", "Tr0ub4dor&3 zebra"])
def test_long_ones_are_taken_whatever_their_characters(password):
    check_password(password, "li")


@settings(max_examples=5)
@given(password=st.text(st.characters(codec="ascii"), min_size=1, max_size=200), more=st.sampled_from("aZ 9~"))
def test_a_hash_matches_its_password_and_no_other(password, more):
    stored = PASSWORDS.hashed(password)
    assert PASSWORDS.matches(stored, password)
    assert not PASSWORDS.matches(stored, password + more)


def test_the_hash_is_argon2id_with_a_salt_of_its_own_and_the_recommended_settings():
    stored = PASSWORDS.hashed("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != PASSWORDS.hashed("correct horse battery")
    assert not PASSWORDS.outdated(stored)


@pytest.mark.parametrize("stored", [None, "", "no hash", "$argon2id$v=19$m=8"])
def test_no_hash_or_a_damaged_one_matches_nothing(stored):
    assert PASSWORDS.matches(stored, "any password at all") is False


def test_the_same_password_from_another_keyboard_matches():
    # U+00E9 and e with U+0301 are the same letter.
    assert PASSWORDS.matches(PASSWORDS.hashed("caf\u00e9 caf\u00e9 caf\u00e9"), "cafe\u0301 cafe\u0301 cafe\u0301")
