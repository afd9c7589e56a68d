"""The dashboard: a bundle of static files (made in ``web``, committed in ``static``)."""
