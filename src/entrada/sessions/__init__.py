"""What we remember: sessions, sealed, behind one store protocol."""
