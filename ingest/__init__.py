"""The ways in: each turns something outside into landed rows, and what it cannot take into quarantine."""
