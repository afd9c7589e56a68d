"""What ``tidegate edge`` does: values in, values out; the command prints them."""
