"""Exit codes, and how errors leave the program: one plain message, what to do, never a traceback."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bingcheng.core.errors import BingchengError
from bingcheng.core.wording import Text, text
from bingcheng.outputs.language import Language

OK = 0
GATE = 1
USAGE = 2
NOTHING_FOUND = 3
UNUSABLE = 4
FAULT = 70
INTERRUPTED = 130

log = logging.getLogger("bingcheng")


@contextmanager
def plainly(language: Language) -> Iterator[None]:
    """End the program with a message in place of a traceback."""
    try:
        yield
    except BingchengError as error:
        tell(language, error.reason, Text(error.problem.remedy, error.reason.facts), error.code)
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        sys.stderr.write(
            f"\n{language.say(text('Stopped. What was finished is kept; run the same command again to go on.'))}\n"
        )
        sys.exit(INTERRUPTED)
    except Exception as error:
        log.debug("fault", exc_info=error)
        tell(
            language,
            text("The program stopped with an unexpected {error}.", error=type(error).__name__),
            text("Report it to the developers together with the command that you gave."),
            "cli.fault",
        )
        sys.exit(FAULT)


def tell(language: Language, reason: Text, remedy: Text, code: str) -> None:
    """Print an error: what is wrong, what to do, the stable code."""
    sys.stderr.write(f"{language.say(text('Error'))} [{code}]: {language.say(reason)}\n  → {language.say(remedy)}\n")
