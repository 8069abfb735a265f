"""The served application, as the server's own tests have it."""

from tests.server.conftest import serve, served

__all__ = ["serve", "served"]
