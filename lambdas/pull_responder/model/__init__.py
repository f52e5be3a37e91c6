"""The plain model: what every other package speaks of. No AWS calls, no clock, no environment."""
