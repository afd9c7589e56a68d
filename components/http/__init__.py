"""HTTP: polled JSON resources, and an endpoint that devices post to."""
