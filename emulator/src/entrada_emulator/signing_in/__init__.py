"""How a person signs in: the request, the conversation and its answers, the policies, the end."""
