"""Read-only readers of AWS. Each fact is read at most once a diagnosis; a failed read says why."""
