"""The platform that hospitals meet on: pages, DICOMweb and the programming interface over one workspace."""
