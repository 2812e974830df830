"""A user of the SDK: a key in the environment, and an upstream in the place of OpenAI."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.client.functions import DEFAULT
from gateway.testing.openai import ImitatedOpenAI

QUESTION = "Tell me a three sentence bedtime story about a unicorn."
STORY = "".join(ImitatedOpenAI.story)


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ImitatedOpenAI]:
    with ImitatedOpenAI() as imitation:
        monkeypatch.setenv("GATEWAY_HOME", str(tmp_path))
        monkeypatch.setenv("OPENAI_API_KEY", "sk-invented")
        monkeypatch.setenv("OPENAI_BASE_URL", imitation.url)
        try:
            yield imitation
        finally:
            DEFAULT.stop()
