"""Put the viewer into the package, so that a wheel built afterwards holds it: ``python tools/viewer.py [FILE.tgz]``."""

from __future__ import annotations

import sys
from pathlib import Path

from bingcheng.core.errors import BingchengError
from bingcheng.server.viewer.installation import BUNDLED, install


def main(arguments: list[str]) -> int:
    """Install into the package's own folder; the exit code."""
    try:
        ready = install(BUNDLED, Path(arguments[0]) if arguments else None)
    except BingchengError as error:
        print(f"{error}\n{error.problem.remedy.format_map(error.reason.facts)}", file=sys.stderr)
        return 1
    print(f"OHIF {ready.version}: {len(ready.files)} files, {ready.size_bytes / 1e6:.1f} MB in {ready.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
