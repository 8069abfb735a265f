"""Pages of cases: published, granted, discussed, searched."""
