"""Quantities that no header holds: judged when they are measured, or when someone supplies them."""
