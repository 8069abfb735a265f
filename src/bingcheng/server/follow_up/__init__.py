"""The page on which people say which lesion of one exam is which of another."""
