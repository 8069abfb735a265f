"""How sure a measurement of a lesion is on this exam: outlines and images that might as well have been."""
