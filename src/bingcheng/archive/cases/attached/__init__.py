"""Files that hang at comments, cleaned of all that tells where they come from and whose they are."""
