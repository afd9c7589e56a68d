"""Sparkplug B edge nodes and their devices, heard and commanded as a host application."""
