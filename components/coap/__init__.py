"""CoAP: reads, observes and writes resources of devices, or listens to what devices post."""
