"""Unit tests of the publishing of findings."""
