"""Devices that answer on the real protocols, a whole site, a bad line."""
