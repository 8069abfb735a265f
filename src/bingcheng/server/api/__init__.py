"""The programming interface that belongs to no standard."""
