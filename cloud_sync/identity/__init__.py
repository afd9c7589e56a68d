"""Who the gateway is to the cloud: its key, its certificate, its access token."""
