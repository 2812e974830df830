"""Models on AWS Bedrock, through Converse and its OpenAI-compatible endpoints."""
