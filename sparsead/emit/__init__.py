"""Generated source and what compiles it."""
