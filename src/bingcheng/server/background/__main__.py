"""The process of a lane as the server starts it: ``python -m bingcheng.server.background``."""

from __future__ import annotations

from bingcheng.core.collector import loading

with loading():
    from bingcheng.server.background.work import main

if __name__ == "__main__":
    main()
