"""Pages for people: one file a place, each with a `router`."""
