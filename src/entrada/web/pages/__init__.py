"""What people see: pages, their words, their files and what these may load."""
