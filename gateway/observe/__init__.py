"""What operators see of the running gateway."""
