"""What the repository holds but the code says: written by `make generate`, held by tests. Not deployed."""
