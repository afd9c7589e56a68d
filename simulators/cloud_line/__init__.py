"""The gateway's side of a cloud, small and real: speaks the wire over TLS, misbehaves on request."""
