"""Payloads that several protocols carry: SenML, CBOR, JSON and plain values; pure."""
