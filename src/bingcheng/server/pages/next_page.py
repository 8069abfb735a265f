"""Where to go after signing in or choosing a language: only to a page of this server."""

from __future__ import annotations

from urllib.parse import urlsplit


def own_path(wish: str | None, otherwise: str = "/") -> str:
    """`wish` if it is a path of this server, else `otherwise`.

    Browsers take a backslash for a slash and drop tabs and line ends: both could make a path lead away.
    """
    if not wish or not wish.startswith("/") or wish.startswith("//") or "\\" in wish:
        return otherwise
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in wish):
        return otherwise
    parts = urlsplit(wish)
    return wish if not parts.scheme and not parts.netloc else otherwise
