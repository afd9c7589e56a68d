"""Modbus TCP devices: a small plant with believable values, and one that misbehaves on demand."""
