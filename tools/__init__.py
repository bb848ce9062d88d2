"""What the project runs on itself and does not ship."""
