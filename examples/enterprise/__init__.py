"""Example E: an enterprise, with people, administration and an audit log."""
