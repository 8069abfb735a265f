"""What a browser may do on the viewer's pages (Content Security Policy); the rest of the site is stricter.

Three things that the viewer needs and other pages don't: its decoders are WebAssembly, and they and the library that
opens segmentations make functions from text (``unsafe-eval``); styles are set from scripts; images, worker code and
downloads are made in memory (``blob:``). Scripts still come from this site only, and nothing may be asked of, or sent
to, another host.
"""

from __future__ import annotations

_DIRECTIVES = (
    "default-src 'none'",
    "script-src 'self' 'unsafe-eval' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
)
POLICY = "; ".join(_DIRECTIVES)
