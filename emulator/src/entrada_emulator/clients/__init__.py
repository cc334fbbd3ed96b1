"""How applications prove themselves, and what every endpoint checks of them."""
