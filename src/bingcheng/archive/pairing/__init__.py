"""Between installations: keys, signed messages, what may cross, and how far each crossing is. Knows no HTTP."""
