"""The quick look: images of an exam as small pictures, without the viewer."""
