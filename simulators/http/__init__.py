"""HTTP devices: a heat pump with a JSON API, and a sensor that posts."""
