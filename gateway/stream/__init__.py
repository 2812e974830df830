"""Stream machinery without I/O: bytes to frames, frames to deltas, deltas to events, and back."""
