"""BACnet/IP: reads, subscribes and writes objects of building controllers."""
