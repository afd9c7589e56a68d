"""Modbus TCP: reads and writes the registers, coils and discrete inputs of a device."""
