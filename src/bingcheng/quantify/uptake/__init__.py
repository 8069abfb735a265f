"""How much tracer a lesion takes up: standardised uptake values, their peaks, and what is active."""
