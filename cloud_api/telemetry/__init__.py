"""Samples: from a gateway's upload into chunks, and back out as history."""
