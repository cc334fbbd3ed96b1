"""A reverse proxy for the BFF: what a browser asks with its session goes to other APIs with access tokens (BEY-11)."""
