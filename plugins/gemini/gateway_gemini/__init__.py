"""Gemini models through Google's generateContent and Interactions APIs."""
