"""De-identification by DICOM PS3.15 annex E: what leaves a hospital holds no patient, and a second pass proves it.

`bingcheng.archive.deidentify.batch` is the way in.
"""
