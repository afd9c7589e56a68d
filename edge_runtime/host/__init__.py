"""Runs components in a process, and the two processes of a gateway under one supervisor."""
