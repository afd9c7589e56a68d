"""Devices that publish through a broker, and brokers for them: mosquitto, and a small one of ours."""
