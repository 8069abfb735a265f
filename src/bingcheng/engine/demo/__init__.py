"""A generated study with a known truth: three hospitals, six scanners, two time points, lesions as DICOM SEG."""
