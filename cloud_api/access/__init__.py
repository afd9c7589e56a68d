"""Who asks: sessions of people, enrolment and tokens of gateways, and the cloud's own authority.

The tenant of a request follows from its credential and from nothing else.
"""
