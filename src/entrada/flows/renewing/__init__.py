"""Access tokens: handed out, renewed once however many ask, and those for the APIs behind."""
