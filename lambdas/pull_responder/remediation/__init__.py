"""The fix as data: what to change, the commands that change it, and how to read up on it. No AWS calls, no clock."""
