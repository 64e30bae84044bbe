"""Studies: questions that one comparison cannot answer, each asked of many small runs."""
