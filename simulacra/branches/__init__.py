"""Branches of a run that exists: forks into other designs, WhatIf, Multiverse, and interviews with those who lived in it."""
