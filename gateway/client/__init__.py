"""The Python SDK: the engine behind functions, and behind a `Gateway` of one's own."""
