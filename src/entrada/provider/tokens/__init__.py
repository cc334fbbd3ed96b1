"""What a token says, believed once every check has passed."""
