"""What the application says of itself: numbers for Prometheus, and lines of the log."""
