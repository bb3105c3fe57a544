"""Premises: whether the building is protected."""
