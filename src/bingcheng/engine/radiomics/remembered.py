"""Whether and how runs extract radiomics features; kept from run to run, so that all exams have the same."""

from __future__ import annotations

import json

from bingcheng.archive.about import held, hold
from bingcheng.archive.workspace import Workspace
from bingcheng.engine.radiomics.asked import Asked

KEY = "radiomics"


def asked_for(workspace: Workspace, asked: Asked | None, *, none: bool) -> Asked | None:
    """What a run asks for; if it asks for nothing, what the last one that did asked for.

    Parameters
    ----------
    none : ask for no features from now on.

    Raises
    ------
    InputError
        what writing to the workspace raises.
    """
    if asked is not None or none:
        wanted = None if none else asked
        with workspace.writing() as connection:
            hold(connection, KEY, None if wanted is None else json.dumps({"settings": wanted.content}))
        return wanted
    with workspace.reading() as connection:
        kept = held(connection, KEY)
    return None if kept is None else Asked(content=json.loads(kept)["settings"])
