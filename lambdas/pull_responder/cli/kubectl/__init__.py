"""What kubectl prints, and kubectl itself. Everything read here is untrusted, as all that comes from a cluster."""
