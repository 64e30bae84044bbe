"""The record: a run is a folder that anyone can open, resume, check, share and export."""
