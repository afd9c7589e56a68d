"""The line between a gateway and the cloud: identity, uplink, downlink, transports and the wire."""
