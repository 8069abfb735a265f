"""How good an image is: one file a measure."""
