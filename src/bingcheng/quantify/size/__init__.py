"""How large a lesion is, and how fast it grows: volumes and diameters."""
