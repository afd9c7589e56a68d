"""Simulated BACnet/IP devices: an air handling unit and two rooms, with scripted faults."""
