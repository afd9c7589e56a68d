"""CoAP devices: a rain-water tank with believable values, and faults on demand."""
