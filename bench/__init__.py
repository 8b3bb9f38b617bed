"""What the whole system does on this machine, in figures: `make bench`."""
