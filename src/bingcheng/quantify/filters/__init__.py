"""Image filters of the IBSI 2 reference manual; each gives a response map of the size of its image."""
