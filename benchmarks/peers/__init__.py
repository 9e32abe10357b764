"""Other tools, each in its fastest form: what they need is the function written for them, see `benchmarks.forms`."""
