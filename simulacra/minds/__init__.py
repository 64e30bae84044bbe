"""Minds: what decides and writes for personas."""
