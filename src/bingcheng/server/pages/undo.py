"""What a page offers to take back: said once, on the page that answers the form."""

from __future__ import annotations

from dataclasses import dataclass

from bingcheng.core.wording import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What was done, and the form that undoes it.

    Parameters
    ----------
    says : what was done.
    action : the address that the form is sent to.
    values : the names and values of its fields; a name may come several times.
    """

    says: Text
    action: str
    values: tuple[tuple[str, str], ...] = ()
