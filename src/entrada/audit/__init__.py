"""What happened here, written down so that nobody can change it unseen: the audit log."""
