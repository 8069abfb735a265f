"""Between installations, by HTTPS: what others ask of us, what we ask of them, and the pages of both."""
