"""Radiomics in the terms of the IBSI: settings, the image-processing chain, and features from one call."""
