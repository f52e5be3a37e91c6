"""What a pull meets: its role and policies, its nodes, its way to the registry, its image.

Each is worked out once for all checks, by a function of the pull and the facts that remembers its answer.
"""
