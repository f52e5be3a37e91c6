"""What a pull depends on: its role and policies, its nodes, its path to the registry, its image.

Each of these is worked out once for all checks. A function of the pull and the facts computes it and keeps its answer.
"""
