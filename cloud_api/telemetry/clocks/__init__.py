"""Times of gateways that did not know the time yet: noted, and repaired in the background."""
