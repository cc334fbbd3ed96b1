"""Example C: a public or a confidential client, and how a feature is added."""
