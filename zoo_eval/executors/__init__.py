"""Executors: where the units of a plan are worked on."""
