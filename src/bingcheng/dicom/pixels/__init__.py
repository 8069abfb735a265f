"""Voxels out of a file, decoded and in real units."""
