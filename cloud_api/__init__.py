"""The cloud: a package per domain, plain SQL, one PostgreSQL."""
