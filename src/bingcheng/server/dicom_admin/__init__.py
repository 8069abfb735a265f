"""Administration of DICOM: the peers of a hospital, objects in conflict, what is stored, and sending exams away."""
