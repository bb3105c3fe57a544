"""Attacks: whether the service withstands them."""
