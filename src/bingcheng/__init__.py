"""Bingcheng: tumour imaging made comparable between hospitals."""

__version__ = "0.1.0"
