"""A provider that is none of ours is found where it is installed, and passes its own suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.third_party.conftest import Installation


def test_it_is_listed(acme: Installation) -> None:
    listed = acme.run("-m", "gateway", "plugins")
    assert listed.returncode == 0, listed.stderr
    assert "acme  (gateway-acme 0.1.0): providers acme" in listed.stdout.splitlines()


def test_its_own_suite_passes(acme: Installation) -> None:
    done = acme.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
