"""Hospitals, people and how people prove who they are."""
