"""What could not be carried over between two programs' protocols, or not in every respect, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from bingcheng.core.wording import Text


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know about a carried-over protocol.

    Parameters
    ----------
    where : the place in what was read, such as ``acquisitions.T1.fields[2] (EchoTime)``.
    what : what became of it.
    lost : whether nothing of it was carried over.
    """

    where: str
    what: Text
    lost: bool = True
