"""Results leave here: HTML report, tables, DICOM SR and SEG."""
