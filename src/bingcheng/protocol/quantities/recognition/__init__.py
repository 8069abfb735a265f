"""What a series is, told from how it was made; its names count only where that leaves a tie."""
