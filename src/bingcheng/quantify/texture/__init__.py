"""Texture: the six matrix families of the IBSI 1 reference manual."""
