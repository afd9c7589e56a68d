"""Devices that describe themselves by SunSpec models."""
