"""Work of a thread that must go on whatever one turn of it meets."""

from __future__ import annotations

import logging
from collections.abc import Callable

from bingcheng.core.errors import BingchengError


def guarded(log: logging.Logger, task: str, work: Callable[[], None]) -> None:
    """Do `work`; what it fails by is logged under the name of its `task`, and ends nothing but this turn."""
    try:
        work()
    except BingchengError as error:
        log.warning("%s: %s", task, error.code)
    except Exception:
        # A fault of this program must not end the thread, and with it all of its work, until the next start.
        log.exception(task)
