"""An offline Microsoft Entra tenant that real clients accept."""
