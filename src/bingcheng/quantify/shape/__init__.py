"""The shape of a lesion: the morphological family of the IBSI 1 reference manual."""
