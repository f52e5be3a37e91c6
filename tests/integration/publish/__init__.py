"""Publishing against an emulated AWS."""
