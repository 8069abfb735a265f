"""What of PS3.15 Table E.1-1 a profile keeps, by its rows alone: what the second pass goes by."""

from __future__ import annotations

from functools import lru_cache

from bingcheng.archive.deidentify.attributes import attributes
from bingcheng.archive.deidentify.profile import Option, Profile


class Kept:
    """What of the table a profile keeps or cleans, by its rows."""

    def __init__(self, profile: Profile) -> None:
        taken = {str(option).replace("-", "_") for option in profile.options}
        self.dates = profile.has(Option.FULL_DATES)
        self._letters: dict[int, set[str]] = {}
        for row in attributes():
            if "x" in row.tag or row.tag == "private":
                continue
            tag = int(row.tag, 16)
            letters = {letter for column, letter in row.options.items() if column in taken}
            if "modified_dates" in taken and "modified_dates" in row.options:
                letters = {"C"}  # by which device ever: a date is moved
            self._letters[tag] = set() if tag in profile.remove else letters
        self._removed = profile.remove

    def goes(self, tag: int) -> bool:
        """Whether the value is taken out whole."""
        return tag in self._removed or (tag in self._letters and not self._letters[tag])

    def stays(self, tag: int) -> bool:
        """Whether the value leaves as it is."""
        return self._letters.get(tag) == {"K"}


@lru_cache(16)
def kept_by(profile: Profile) -> Kept:
    """What a profile keeps; compiled once."""
    return Kept(profile)
