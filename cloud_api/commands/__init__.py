"""Commands for gateways: queued here, carried out there, at most once."""
