"""The quantities that protocols ask about, one module a family; each is a described function of the typed facts."""
