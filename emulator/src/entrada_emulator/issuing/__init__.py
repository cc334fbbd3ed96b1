"""What is handed out: codes, tokens, their claims and the keys that sign them."""
