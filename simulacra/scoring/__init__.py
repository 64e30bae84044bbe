"""Scorers: what is measured in the words of posts."""
