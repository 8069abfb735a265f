"""Small pictures for lists and pages: a slice with the outlines of lesions, a projection; made in milliseconds."""
