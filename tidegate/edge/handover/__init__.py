"""From the first look at every point to the signed report that an installer hands over."""
