"""Example A: the authorization-code flow."""
