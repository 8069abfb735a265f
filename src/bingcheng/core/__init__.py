"""What every floor speaks: errors, measures, the catalogue, units, codes, provenance."""
