"""People: growing thousands of distinct personas from a designer's few sketches."""
