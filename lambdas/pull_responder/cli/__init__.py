"""The terminal. It is left out of the deployed asset."""
