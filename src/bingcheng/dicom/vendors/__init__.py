"""What each vendor writes in its own way; one file a vendor."""
