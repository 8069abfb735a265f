"""Exit codes, and how errors leave the program: one plain message, what to do, never a traceback."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from bingcheng.cli.usage import WrongUsage, is_help
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
READER_GONE = 141
"""What a shell reports of a program whose reader (``| head``) had enough."""

log = logging.getLogger("bingcheng")


def settle_streams() -> None:
    """Make printing safe: characters that a terminal can't show become question marks, libraries keep quiet.

    Libraries warn of odd headers and repeat what stands in them, which may be a patient's name.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


@contextmanager
def plainly(language: Language) -> Iterator[None]:
    """End the program with a message in place of a traceback."""
    try:
        yield
    except BingchengError as error:
        tell_error(language, error)
        sys.exit(USAGE if isinstance(error, WrongUsage) else UNUSABLE)
    except KeyboardInterrupt:
        sys.stderr.write(
            f"\n{language.say(text('Stopped. What was finished is kept; run the same command again to go on.'))}\n"
        )
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whatever is still in the buffer would raise the same once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(READER_GONE)
    except Exception as error:
        if is_help(error):
            sys.exit(USAGE)
        log.debug("fault", exc_info=error)
        tell(
            language,
            text("The program stopped with an unexpected {error}.", error=type(error).__name__),
            text("Report it to the developers together with the command that you gave."),
            "cli.fault",
        )
        sys.exit(FAULT)


def tell_error(language: Language, error: BingchengError) -> None:
    """Print an error of ours."""
    tell(language, error.reason, Text(error.problem.remedy, error.reason.facts), error.code)


def tell(language: Language, reason: Text, remedy: Text, code: str) -> None:
    """Print an error: what is wrong, what to do, the stable code."""
    sys.stderr.write(f"{language.say(text('Error'))} [{code}]: {language.say(reason)}\n  → {language.say(remedy)}\n")


def print_json(result: object) -> None:
    """Print one JSON document, which is UTF-8 whatever the terminal speaks (RFC 8259, 8.1)."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8")
    json.dump(result, sys.stdout, ensure_ascii=False, allow_nan=False, indent=1)
    sys.stdout.write("\n")
