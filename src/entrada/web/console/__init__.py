"""The pages of whoever looks after the application, and the page of everybody's own account."""
