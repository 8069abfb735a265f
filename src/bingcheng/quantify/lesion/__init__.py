"""Lesions: outlined from one click or box, edited, and matched between time points."""
