"""Alerts that the rules of a gateway raised and cleared."""
