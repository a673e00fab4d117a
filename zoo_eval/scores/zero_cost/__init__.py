"""Scores of a network itself: its size, and its behaviour on one small batch."""
