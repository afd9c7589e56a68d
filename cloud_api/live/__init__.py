"""What changes, as it changes: one ordered feed a tenant, over server-sent events."""
