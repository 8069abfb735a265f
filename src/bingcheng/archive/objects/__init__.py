"""Received DICOM objects: their bytes, byte for byte, and an index to find them by."""
