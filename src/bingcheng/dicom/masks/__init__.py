"""Regions drawn on images: DICOM SEG and RTSTRUCT."""
