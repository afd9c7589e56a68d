"""MQTT devices: what they publish through any broker, and commands to them."""
