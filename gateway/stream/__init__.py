"""Sans-IO stream machinery: bytes to frames, frames to deltas, deltas to events, events to bytes."""
