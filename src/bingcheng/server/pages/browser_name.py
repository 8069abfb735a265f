"""What a browser calls itself, shortened to what a person recognises."""

from __future__ import annotations

BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
"""In this order: each of them also names those that come after it."""
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(program: str) -> str:
    """Browser and system, e.g. ``Chrome, Linux``; the beginning of what it says if neither is known."""
    browser = next((name for sign, name in BROWSERS if sign in program), None)
    system = next((name for sign, name in SYSTEMS if sign in program), None)
    return ", ".join(filter(None, (browser, system))) or program[:40]
