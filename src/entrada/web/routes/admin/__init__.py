"""`/api/admin` and below: what administrators see and do (document E; SEC-137 to SEC-142)."""
