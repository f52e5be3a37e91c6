"""Writes the files that follow from the code, for `make generate`. Tests fail if they are out of date. Not deployed."""
