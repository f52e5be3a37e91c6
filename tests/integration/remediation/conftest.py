"""The estate of the checks' tests, on which fixes are run."""

from __future__ import annotations

from tests.integration.checks.conftest import administrator, estate

__all__ = ["administrator", "estate"]
