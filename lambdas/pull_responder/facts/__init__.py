"""Read-only readers of AWS. A diagnosis reads each fact at most once. A failed read says why."""
