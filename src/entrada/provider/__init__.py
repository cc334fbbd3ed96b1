"""What the authority says: discovery, keys, tokens and refusals, each checked before it is believed."""
