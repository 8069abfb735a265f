"""The pages of numbers: one hospital, and the province; no patient is in them."""
