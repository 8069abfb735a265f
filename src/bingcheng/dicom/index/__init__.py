"""Files in: every DICOM header below a folder, without pixels."""
