"""Device profiles as sheets: import, export, comparison and checking, for the command line."""
