"""Protocols in processes of their own, and how their batches get into the runtime's outbox.

An adapter reads its devices and keeps what it read in an outbox of its own below
``adapters/<name>/``. It hands batches to the runtime over a Unix socket and keeps each until the
runtime says that it is durable in *its* outbox. Beside them go the present values, for rules: as
they come, bounded, and not kept.

    frames      bytes on the socket: length, checksum, body
    messages    what is said
    place       the socket itself: where it is, and who may talk
    reception   the runtime's side
    link        the adapter's side
    tail        present values that wait for the socket
    absence     what the runtime says while an adapter is away
"""
