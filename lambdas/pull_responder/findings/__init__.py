"""A finding, its identity and its life."""
