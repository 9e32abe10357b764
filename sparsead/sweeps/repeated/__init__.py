"""Steps that are done again and again: a loop of the user's function that stays a loop."""
