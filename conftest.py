"""Settings of the whole suite."""

pytest_plugins = ("gateway.testing.corpus_option",)
