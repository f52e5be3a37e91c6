"""A deployed responder, as in the tests of the responder."""

from tests.integration.responder.conftest import scene

__all__ = ["scene"]
