"""DICOMweb over HTTP: routes that read requests and write answers; what they mean stands in `archive.dicomweb`."""
