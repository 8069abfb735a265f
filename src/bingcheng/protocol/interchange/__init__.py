"""Protocols of other programs, in and out: as data only, and what can't be carried is said with its place."""
