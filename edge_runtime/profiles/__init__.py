"""Device profiles: what a product's points are, as YAML. New hardware is a file, not code."""
