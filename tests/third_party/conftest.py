"""Packages that are not ours: each is built, installed and run as its author would."""

collect_ignore_glob = ["gateway-*"]
