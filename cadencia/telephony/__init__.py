"""What Cadencia says to a switch and what it makes of the answers."""
