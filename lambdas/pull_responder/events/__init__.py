"""Wire formats in, PullFailure out. Everything read here is untrusted: bounded, redacted, never executed."""
