"""Which lines of the user's function bring the entries of a row or column in; see `PreparedMatrix.explain`."""
