"""What people see: the registry with its newest values, states and alerts put together. No SQL."""
