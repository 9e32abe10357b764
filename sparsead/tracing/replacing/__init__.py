"""What stands in for the functions of NumPy and math while a function is traced."""
