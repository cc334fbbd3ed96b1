"""Sessions end: by their person, by the authority, or being too many."""
