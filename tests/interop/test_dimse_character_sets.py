"""Workstations that know one character set: dcmtk's findscu asks in it, and dcmdump reads what it was answered."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from tests.archive.conftest import workspace  # noqa: F401 - fixtures
from tests.archive.dimse.conftest import listening, objects  # noqa: F401
from tests.archive.dimse.making import SPACE, file_of, image

from bingcheng.archive.dimse.peers import May, Peer
from bingcheng.archive.objects.received import Origin

pytestmark = pytest.mark.skipif(shutil.which("findscu") is None, reason="dcmtk is not installed")

CHINESE, GERMAN, KOREAN = "Wang^XiaoDong=王^小东", "Müller^Jörg", "Hong^Gildong=洪^吉洞=홍^길동"


def in_58(text):
    return b"\x1b$)A" + text.encode("gb2312")


@pytest.fixture
def find(listening, tmp_path):  # noqa: F811
    """Asks in a character set, with a name in bytes; gives character set and UTF-8 name of each answer."""
    site = listening(Peer(ae_title="FINDSCU", networks=("127.0.0.1",), space=SPACE, may=frozenset(May)))
    for number, name in enumerate((CHINESE, GERMAN, KOREAN), start=1):
        made = image(study=number, PatientName=name)
        site.objects.receive(file_of(made), space=SPACE, origin=Origin(kind="import", peer="test"))

    def ask(character_set, name):
        answers = tmp_path / "answers"
        shutil.rmtree(answers, ignore_errors=True)
        answers.mkdir()
        keys = ("0008,0052=STUDY", f"0008,0005={character_set}", b"0010,0010=" + name, "0020,000D=", "0008,1030=")
        wanted = [part for key in keys for part in ("-k", key)]
        command = [
            "findscu",
            "-S",
            "-X",
            "-od",
            str(answers),
            "-aec",
            "BINGCHENG",
            *wanted,
            "127.0.0.1",
            str(site.port),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return sorted(told(file) for file in answers.iterdir())

    return ask


def told(file):
    """Character set that an answer says, and its name as dcmdump makes UTF-8 of it."""
    plain = subprocess.run(["dcmdump", "+P", "0008,0005", file], check=True, capture_output=True, timeout=60)
    term = re.search(rb"\[(.*)\]", plain.stdout)[1].decode("ascii")
    dumped = subprocess.run(["dcmdump", "+U8", "+P", "0010,0010", file], check=True, capture_output=True, timeout=60)
    return term, re.search(r"\[(.*)\]", dumped.stdout.decode())[1]


@pytest.mark.parametrize(
    ("character_set", "name", "answer"),
    [
        ("GB18030", "王*".encode("gb18030"), CHINESE),
        ("GB18030", "王^小?".encode("gb18030"), CHINESE),
        ("GB18030", "王^?东".encode("gb18030"), CHINESE),
        ("GB18030", "Müller*".encode("gb18030"), GERMAN),
        ("GB18030", "洪*".encode("gb18030"), KOREAN),
        ("GBK", "王*".encode("gbk"), CHINESE),
        ("ISO_IR 100", "Müller*".encode("latin-1"), GERMAN),
        ("\\ISO 2022 IR 58", b"*=" + in_58("王") + b"^" + in_58("小") + b"*", CHINESE),
        ("ISO 2022 IR 6\\ISO 2022 IR 58", b"Wang*", CHINESE),
        ("\\ISO 2022 IR 149", b"Hong*", KOREAN),
        ("ISO_IR 192", "王*".encode(), CHINESE),
    ],
)
def test_an_answer_is_in_the_character_set_of_the_question(find, character_set, name, answer):
    assert find(character_set, name) == [(character_set, answer)]


@pytest.mark.parametrize(
    ("character_set", "name", "answer"),
    [
        ("GBK", b"M*", GERMAN),  # GBK has the first of the two letters and not the second
        ("ISO_IR 100", b"Wang*", CHINESE),
        ("\\ISO 2022 IR 58", b"Hong*", KOREAN),
        ("\\ISO 2022 IR 87", b"Hong*", KOREAN),
        ("", b"Wang*", CHINESE),
        pytest.param("NONE SUCH", b"Wang*", CHINESE, marks=pytest.mark.filterwarnings("ignore:Unknown encoding")),
    ],
)
def test_what_it_has_no_letters_for_is_answered_in_unicode(find, character_set, name, answer):
    assert find(character_set, name) == [("ISO_IR 192", answer)]
