"""Uptime: whether the service keeps running."""
