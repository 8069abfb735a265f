"""Who asks, what a route requires, and what is recorded of it."""
