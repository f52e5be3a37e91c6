"""Changes the pure packages in small ways and counts the changes that no unit test notices: `make mutants`."""
