"""The request's way in and out: what speaks HTTP."""
