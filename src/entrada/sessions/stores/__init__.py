"""Where sessions are kept: one protocol, and a store for each place."""
