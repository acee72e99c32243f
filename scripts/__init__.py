"""What make uses; nothing of it is installed."""
