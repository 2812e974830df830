"""Each hook is documented, with the signature that it has."""

import inspect
import re
from pathlib import Path

import pytest

from gateway.plugin import hookspecs

DOCUMENT = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text()
HOOKS = {
    name: function
    for name, function in vars(hookspecs).items()
    if name.startswith("gateway_") and inspect.isfunction(function)
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_documented_with_its_signature(name: str) -> None:
    signature = inspect.signature(HOOKS[name])
    parameters = ", ".join(f"{p.name}: {p.annotation}" for p in signature.parameters.values())
    assert f"\n## {name}\n" in DOCUMENT
    assert f"def {name}({parameters}) -> {signature.return_annotation}: ..." in DOCUMENT


def test_no_hook_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"^## (gateway_\w+)$", DOCUMENT, re.MULTILINE)) == set(HOOKS)
