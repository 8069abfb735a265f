"""The report: one self-contained HTML page for the radiologist, the technologist and the quality centre."""
