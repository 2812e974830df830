pytest_plugins = ("gateway.testing.corpus_option",)
