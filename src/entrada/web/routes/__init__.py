"""The routes that the library adds."""
