"""What the pacing controllers are measured against: the optimum, the peers, and one command that compares them all."""
