"""What the generated functions do: values, one direction at a time, all colors at once."""
