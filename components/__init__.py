"""One folder = one Greengrass component = one recipe: the drivers, and the line."""
