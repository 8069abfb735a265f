"""What states and outcomes are called on the pages of exams."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.archive.jobs.queue import JobState
from bingcheng.archive.worklist import Order
from bingcheng.core.wording import Text, text

STATE_WORDS: Mapping[JobState, Text] = MappingProxyType(
    {
        JobState.WAITING: text("Waits to be assessed"),
        JobState.RUNNING: text("Is being assessed"),
        JobState.DONE: text("Assessed"),
        JobState.FAILED: text("Could not be assessed"),
    }
)
ORDER_WORDS: Mapping[Order, Text] = MappingProxyType(
    {
        Order.NEWEST: text("Newest first"),
        Order.OLDEST: text("Oldest first"),
        Order.URGENT: text("What needs doing first"),
    }
)
