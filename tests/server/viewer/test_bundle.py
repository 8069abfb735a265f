"""What a script never mentions of a library goes; all else stays and does the same."""

from __future__ import annotations

import pytest

from bingcheng.server.viewer.bundle import read_at_once, without_unmentioned

ICONS = "../../../node_modules/lucide-react/dist/esm/icons"
HEAD = "(() => {\nvar __webpack_modules__ = ({\n"


def section(file: str, text: str) -> str:
    return f";// CONCATENATED MODULE: {file}\n{text}\n"


def module(number: int, *parts: str) -> str:
    return f"{number}(module, exports, __webpack_require__) {{\n" + "".join(parts) + "\n},\n"


SUN = section(f"{ICONS}/sun.js", 'const Sun = createIcon("sun", RAYS);')
RAYS = section(f"{ICONS}/rays.js", "const RAYS = 8;")
MOON = section(f"{ICONS}/moon.js", 'const Moon = createIcon("moon");')
SHOWN = section("../../ui/Sky.tsx", "function Sky() { return draw(Moon); }")


def test_a_library_s_file_that_nobody_mentions_goes_and_then_what_only_it_mentioned():
    kept = without_unmentioned(HEAD + module(1, RAYS, SUN, MOON, SHOWN))
    assert "Sun" not in kept
    assert "RAYS" not in kept
    assert 'const Moon = createIcon("moon");\nfunction Sky() { return draw(Moon); }' in kept
    assert kept.startswith(HEAD + "1(module")
    assert kept.endswith("\n},\n")


@pytest.mark.parametrize(
    "mention",
    ["use(Sun);", "const all = { d: () => (Sun) };", "// Sun is shown at noon", "say('Sun');", "other.Sun();"],
)
def test_a_file_whose_name_stands_anywhere_else_in_its_module_stays(mention):
    script = HEAD + module(1, SUN, RAYS, section("../../ui/Sky.tsx", mention), SHOWN)
    assert 'const Sun = createIcon("sun", RAYS);' in without_unmentioned(script)


def test_a_mention_in_another_module_is_none():
    kept = without_unmentioned(module(1, SUN, SHOWN) + module(2, section("../../ui/Day.tsx", "exports.Sun = noon;")))
    assert "createIcon" not in kept
    assert "exports.Sun = noon;" in kept


@pytest.mark.parametrize(
    "stays",
    [
        section("../../ui/Sun.tsx", "const Sun = 1;"),  # the viewer's own file
        section("../../../node_modules/uuid/index.js", "const Sun = 1;"),  # a library that may do more
        section(f"{ICONS}/sun.js", "start();"),  # defines nothing: it must be there to act
        section(f"{ICONS}/sun.js", "const Sun = 1;\nconst { Moon } = sky;"),
        section(f"{ICONS}/sun.js", "const Sun = 1;")
        + "// EXTERNAL MODULE: ../sky.js\nvar sky = __webpack_require__(3);\n",
    ],
)
def test_what_might_do_something_by_itself_stays(stays):
    kept = without_unmentioned(HEAD + module(1, stays, SHOWN))
    last_line = stays.splitlines()[-1]
    assert last_line in kept


def test_the_last_file_of_a_module_stays_with_the_module_s_end():
    script = HEAD + module(1, SHOWN, SUN)
    assert without_unmentioned(script).endswith('const Sun = createIcon("sun", RAYS);\n\n},\n')


def test_a_script_of_another_make_is_left_as_it_is():
    script = "const Sun = 1;\n/* CONCATENATED MODULE: nothing */\nstart();\n"
    assert without_unmentioned(script) == script


TAIL = "\n});\n// The module cache\nvar cache = {};\n})();\n"


def test_each_module_of_the_program_is_written_as_one_that_is_called_at_once():
    script = (
        HEAD + module(1, '"use strict";\nconst one = () => { return 1; };') + module(23, "exports.two = 2;")[:-2] + TAIL
    )
    assert read_at_once(script) == (
        HEAD
        + '1:(function(module, exports, __webpack_require__) {\n"use strict";\nconst one = () => { return 1; };\n}),\n'
        + "23:(function(module, exports, __webpack_require__) {\nexports.two = 2;\n}),\n"
        + TAIL
    )


@pytest.mark.parametrize(
    "script",
    [
        module(1, "exports.one = 1;"),  # no program: a piece that may never be called
        HEAD + module(1, "exports.one = 1;") + "2(module) {\nreturn;\n" + TAIL,  # a module without an end
        HEAD + TAIL,
        "start();",
    ],
)
def test_a_script_that_is_no_such_program_is_left_as_it_is(script):
    assert read_at_once(script) == script
