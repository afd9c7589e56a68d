"""What every component on a site stands on; works with the cable cut."""
