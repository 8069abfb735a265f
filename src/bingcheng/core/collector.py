"""Python's collector of reference cycles, which is to look for garbage where some is made: not among modules.

A process imports a thousand modules, 200,000 objects that live as long as it does. To look through them while they are
imported, and once more at the end, takes a fifth of the time of one that has little to do. In a server each look
stops everything for 150 ms.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


def end_without_looking() -> None:
    """Look for no garbage when this process ends: what it leaves behind goes with it."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def pass_by_what_is_loaded() -> None:
    """Look from now on only at what is made after this.

    For the end of loading: what is in a cycle with something that is there now is never given back.
    """
    gc.collect()
    gc.freeze()


@contextmanager
def loading() -> Iterator[None]:
    """Look for no garbage meanwhile, and from then on only at what is made after it.

    For a process that lives shortly.
    """
    gc.disable()
    end_without_looking()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def collecting_later() -> Iterator[None]:
    """Look for no garbage until `collect_from_now_on`, and in the end again as before."""
    collected = gc.isenabled()
    gc.disable()
    end_without_looking()
    try:
        yield
    finally:
        (gc.enable if collected else gc.disable)()


def collect_from_now_on() -> None:
    """Look for garbage: all is imported, and what is made from now on may be some."""
    gc.enable()
