"""Radiomics as people ask for it: images and masks in any form, lesions of an exam, many lesions at once."""
