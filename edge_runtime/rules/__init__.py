"""Local rules: event, condition, action. A pure step in event time; works with the line down.

A condition is a bounded tree of comparisons, compiled once to closures. The evaluator knows no
clock, no store and no bus, so the cloud can run the same rule over its history.
"""
