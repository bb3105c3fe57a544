"""People: who can see your information."""
