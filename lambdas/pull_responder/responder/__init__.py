"""Respond to events: count them, diagnose each problem once, notify people once, and recheck open findings."""
