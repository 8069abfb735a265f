"""How bright a lesion is: CT numbers, and the intensity features of the IBSI."""
