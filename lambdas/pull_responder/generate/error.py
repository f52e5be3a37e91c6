"""What `make generate` cannot go on without."""

from __future__ import annotations


class GenerateError(Exception):
    """Something that the files follow from is missing; the message is one line that says what, and where."""
