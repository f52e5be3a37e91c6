"""What happens with events: remember them, diagnose each problem once, tell people once, and look again."""
