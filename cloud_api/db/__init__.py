"""PostgreSQL: the embedded server, migrations, pools, and transactions that belong to one tenant."""
