"""Loop code, element by element, turned into array code."""
