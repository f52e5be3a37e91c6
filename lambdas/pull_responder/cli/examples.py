"""The examples at the end of each command's help."""

from __future__ import annotations


def examples(*lines: str) -> str:
    """Return the end of a help text, which click does not wrap: click, "Documenting Scripts", preventing rewrapping."""
    return "\n".join(("\b", "For example:", *(f"  {line}" for line in lines)))
