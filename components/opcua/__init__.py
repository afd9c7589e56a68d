"""OPC UA: subscriptions, reads, writes and methods of any server, with certificates pinned."""
