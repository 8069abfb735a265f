"""Whether a change is real, and how hospitals differ. Works on tables of results; sees no image."""
