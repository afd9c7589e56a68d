"""A whole site: a plant on real protocols, a gateway, its line and a cloud, as real processes."""
