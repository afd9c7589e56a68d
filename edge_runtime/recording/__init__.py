"""A site on tape: what its devices said, recorded and played again into the same runtime."""
