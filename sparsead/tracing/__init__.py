"""Running the user's NumPy code once on traced arrays."""
