"""From the redirect to the authority until the session: who may come in, and as whom."""
