"""What kinds and states of jobs are called on these pages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.archive.jobs.queue import JobKind, JobState
from bingcheng.core.wording import Text, text

KIND_WORDS: Mapping[JobKind, Text] = MappingProxyType(
    {
        JobKind.ASSESS: text("Assess the exam"),
        JobKind.BRING_IN: text("Take the exam into the archive"),
        JobKind.SEND: text("Send the exam"),
    }
)
RUNNING, WAITING, LATER = text("under way"), text("waiting"), text("tried again later")
SENT_LATER = text("Could not be sent yet; tried again by itself")
SENDING_WORDS: Mapping[JobState, Text] = MappingProxyType(
    {
        JobState.WAITING: text("Waits to be sent"),
        JobState.RUNNING: text("Is being sent"),
        JobState.DONE: text("Sent"),
        JobState.FAILED: text("Could not be sent"),
        JobState.STOPPED: text("Was stopped"),
    }
)
