"""Sites, gateways, devices and points: what there is, whose it is, and how to reach its data."""
