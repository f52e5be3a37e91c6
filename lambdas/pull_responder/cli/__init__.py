"""The terminal. Left out of the deployed asset."""
