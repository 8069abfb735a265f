"""Segmentation networks that a user brings along: described by a manifest, never downloaded."""
