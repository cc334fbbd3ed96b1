"""Who they are: the people who have signed in here, kept across sessions."""
