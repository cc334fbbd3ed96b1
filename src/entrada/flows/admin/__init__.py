"""Administration: who may, whose people they see, and what they do with them."""
