"""Direct accumulation: each coefficient goes straight to its entry."""
