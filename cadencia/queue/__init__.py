"""Which contact next, and which agent next: pure policy."""
