"""One list of models satisfies OpenAI's clients and Codex."""

from openai.types import Model as SdkModel

from gateway.types.models import CatalogModel, Model, ModelList

# What Codex 0.169.0 was seen to expect of each of `models`.
EXPECTED_BY_CODEX = {
    "slug",
    "display_name",
    "supported_reasoning_levels",
    "shell_type",
    "visibility",
    "supported_in_api",
    "priority",
    "base_instructions",
    "truncation_policy",
}


def test_the_list_serves_both_kinds_of_clients() -> None:
    body = ModelList(
        data=(Model(id="fast"),), models=(CatalogModel(slug="fast", display_name="Fast"),)
    ).to_dict()

    assert body["object"] == "list"
    assert SdkModel.model_validate(body["data"][0], strict=True).id == "fast"
    assert body["models"][0].keys() >= EXPECTED_BY_CODEX
