"""Measurements: ratios in one run against a named peer, never a time that a test asserts."""
