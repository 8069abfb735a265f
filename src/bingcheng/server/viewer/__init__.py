"""The OHIF viewer: how it is brought, made fit for its place, and served."""
