"""DICOM in: index, series, pixels, masks, and typed acquisition facts. Nothing above this floor sees a tag."""
