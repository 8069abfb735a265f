"""Images without DICOM: where voxels lie, what they hold, regions of them, and phantoms with a known truth."""
