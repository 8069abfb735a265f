"""How big, how active, how dense a tumour is: one file a family of measures."""
