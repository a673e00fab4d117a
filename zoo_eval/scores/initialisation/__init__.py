"""What the start of training changes."""
