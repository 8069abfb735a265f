"""Compiled templates, kept beside their sources as Python keeps its modules: compiled once, not in each process.

To compile the templates of the server's pages takes 2 s of a processor in each language, those of the report 0.4 s of
every command that writes one.
"""

from __future__ import annotations

import marshal
import sys
from contextlib import suppress
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

import jinja2
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from bingcheng.outputs.whole_file import whole_file

_OWNERS_ALONE = 0o644
"""What is run may be written by its owner alone."""


class CompiledTemplates(BytecodeCache):
    """Keeps what templates are compiled to in ``__pycache__``, for every environment of the same syntax.

    As with modules: it is compiled anew when its source, Python or Jinja changed; where nothing may be written, or
    ``PYTHONDONTWRITEBYTECODE`` is set, each process compiles for itself.
    """

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002 - Jinja's signature
        """Where the compiled template is kept; empty for one that is no file."""
        if filename is None or sys.implementation.cache_tag is None:
            return ""
        return cache_from_source(filename, optimization="jinja")

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """The template as it is kept, if that was made of this source by this Jinja with these settings."""
        syntax = (environment.autoescape, environment.trim_blocks, environment.lstrip_blocks)
        made_by = (MAGIC_NUMBER, jinja2.__version__, syntax)
        return super().get_bucket(environment, name, filename, f"{made_by}{source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what is kept, if it is of this bucket; a file that can't be read, or is not whole, is as none."""
        if not bucket.key:
            return
        made_of = bucket.checksum.encode("ascii")
        with suppress(OSError, EOFError, ValueError, TypeError):
            kept = Path(bucket.key).read_bytes()
            if kept.startswith(made_of):
                bucket.code = marshal.loads(kept[len(made_of) :])  # noqa: S302 - as Python reads its modules, from beside them

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it, as a whole file: another process may read it now."""
        if not bucket.key or sys.dont_write_bytecode:
            return
        target, content = Path(bucket.key), bucket.checksum.encode("ascii") + marshal.dumps(bucket.code)
        with suppress(OSError), whole_file(target, most=_OWNERS_ALONE) as unfinished:
            unfinished.write_bytes(content)
