"""Traffic: whether it is protected and watched."""
