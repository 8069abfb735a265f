"""How an image was made, as typed facts with normalised units."""
