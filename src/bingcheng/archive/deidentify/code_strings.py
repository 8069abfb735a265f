"""Code strings (VR CS): which values the standard lists for an attribute. A name has the form of a code string too.

What isn't listed stays if it is made of words that describe an examination or a device: makers put terms of their own
beside the standard's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from bingcheng.archive.deidentify.attributes import terms
from bingcheng.archive.deidentify.forms import SPECIFIC_CHARACTER_SET, shortened

_FORMS: Mapping[int, re.Pattern[str]] = MappingProxyType(
    {
        # Patient Orientation of two-legged and four-legged patients (PS3.3 C.7.6.1.1.1)
        0x00200020: re.compile(r"[APRLHF]{1,3}|(?:LE|RT|D|V|CR|CD|M|L|DI|PA|PL){1,3}"),
        # Context and Template Identifier: the numbers of PS3.16
        0x0008010F: re.compile(r"\d{1,5}[a-zA-Z]?"),
        0x0040DB00: re.compile(r"\d{1,5}[a-zA-Z]?"),
    }
)
"""Values that follow a rule, where the standard doesn't list them."""


def is_term(tag: int, said: str) -> bool:
    """Whether a value is one that the standard lists for its attribute."""
    if tag == SPECIFIC_CHARACTER_SET:
        return True  # its form leaves room for nothing else
    form = _FORMS.get(tag)
    return said in terms().get(tag, ()) or (form is not None and form.fullmatch(said) is not None)


def kept(tag: int, said: str, clean: Callable[[str], str]) -> str:
    """What of one value of a code string may stay; empty if nothing.

    Parameters
    ----------
    clean : what may stay of a value that the standard doesn't list.
    """
    bare = said.strip()
    return said if not bare or is_term(tag, bare) else shortened(clean(bare))
