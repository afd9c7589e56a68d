"""The command ``tidegate`` and the demo: the top of the tree, may import everything."""

__version__ = "0.1.0"
