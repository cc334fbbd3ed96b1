"""What asks the authority for tokens, and the credentials that it shows."""
