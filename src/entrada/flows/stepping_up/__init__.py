"""More proof from somebody who is in already, and what waits for it."""
