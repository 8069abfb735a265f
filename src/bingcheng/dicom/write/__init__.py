"""DICOM out: image series from volumes and acquisition facts, in the habits of the vendors."""
