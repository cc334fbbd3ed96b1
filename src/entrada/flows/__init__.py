"""Signing in, signing out, and tokens: where provider, sessions and users are joined."""
