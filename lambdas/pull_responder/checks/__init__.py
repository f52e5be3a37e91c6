"""One file a cause."""
