"""What `run.py` is made of: loads and systems, how they are measured, and the report."""
