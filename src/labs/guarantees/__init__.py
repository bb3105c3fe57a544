"""Guarantees: what you can hold the vendor to."""
