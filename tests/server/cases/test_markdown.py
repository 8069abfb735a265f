"""What people write becomes the few kinds of HTML that are known, and never any other."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from bingcheng.server.cases.markdown import rendered

OURS = re.compile(
    r"</?(?:p|ul|li|blockquote|strong|em|code)>|<br>|</?b>|<b class=\"mention\">"
    r"|<a href=\"https://[^\"<>]+\" rel=\"noopener noreferrer nofollow\">|</a>"
)
PIECES = ["**a**", "*b*", "`c<`", "https://a.example/?b=1&c", "@Li.Na", "<script>", "&amp;", "\"'", "\n", "\n\n", "- "]


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("a\nb\n\nc", "<p>a<br>b</p><p>c</p>"),
        ("- a\n- **b**", "<ul><li>a</li><li><strong>b</strong></li></ul>"),
        ("> said", "<blockquote><p>said</p></blockquote>"),
        ("*a* `<b>`", "<p><em>a</em> <code>&lt;b&gt;</code></p>"),
        ("@Li.Na", '<p><b class="mention">@Li.Na</b></p>'),
        ("<b>", "<p>&lt;b&gt;</p>"),
        ("  \n ", ""),
    ],
)
def test_each_kind_becomes_its_html(written, html):
    assert rendered(written) == html
    assert isinstance(rendered(written), Markup)


def test_an_address_leads_there_and_tells_nobody_from_where():
    assert rendered("https://a.example/?b=1") == (
        '<p><a href="https://a.example/?b=1" rel="noopener noreferrer nofollow">https://a.example/?b=1</a></p>'
    )


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=12).map("".join))
def test_whatever_is_written_only_our_own_tags_are_in_it(written):
    assert not set("<>\"'") & set(OURS.sub("", rendered(written)))
