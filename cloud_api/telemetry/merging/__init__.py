"""Small chunks become hour chunks, in the background."""
