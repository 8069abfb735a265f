"""Lesions outlined from a person's mark: images opened, methods chosen, outlines drawn, corrected and saved."""
