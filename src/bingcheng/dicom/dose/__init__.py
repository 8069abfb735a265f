"""What the scanner reported of the radiation: dose reports (RDSR) as typed facts."""
