"""The fix as data: commands to run and policies to put."""
