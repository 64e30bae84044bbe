"""Speed, memory and quality, measured: `make bench`, `make quality`."""
