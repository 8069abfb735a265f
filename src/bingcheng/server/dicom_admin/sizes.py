"""Amounts of bytes as people read them."""

from __future__ import annotations

from bingcheng.core.wording import Text, text

_KB = 1000.0


def size_in_words(size: int) -> Text:
    """In bytes, kB, MB, GB or TB, to three digits."""
    if size < _KB:
        return text("{amount} B", amount=size)
    amount = size / _KB
    if amount < _KB:
        return text("{amount} kB", amount=_rounded(amount))
    amount /= _KB
    if amount < _KB:
        return text("{amount} MB", amount=_rounded(amount))
    amount /= _KB
    if amount < _KB:
        return text("{amount} GB", amount=_rounded(amount))
    return text("{amount} TB", amount=_rounded(amount / _KB))


def _rounded(amount: float) -> float:
    whole = 100
    return round(amount) if amount >= whole else float(f"{amount:.3g}")
