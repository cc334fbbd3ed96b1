"""What stands before every request: who is in front, how often, how much, and from where."""
