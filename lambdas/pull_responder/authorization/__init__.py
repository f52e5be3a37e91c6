"""IAM policy evaluation: pure, offline, no AWS calls."""
