"""What translation costs: one gateway process, the same stream from a native and a chat upstream.

    python benchmarks/translated_path.py

The two models take turns under the same load, so that what differs is the work of the dialect and
of the assembler, against that of the relay. What counts is CPU time of the gateway's process; each
figure is that of the cheapest round. Linux only (`/proc`).
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from native_path import HERE, free_port, microseconds, process

ROUNDS = 7
CASES = {
    "108 in a burst": ("108", 800),
    "1,000 in a burst": ("1000", 160),
    "108, paced": ("108-paced", 160),
}
CONFIG = """
model_list:
  - model_name: native
    litellm_params: {{model: openai/m, api_key: sk-none, api_base: "http://127.0.0.1:{port}/{size}/v1"}}
  - model_name: chat
    litellm_params:
      {{model: openai_compatible/m, api_key: sk-none, api_base: "http://127.0.0.1:{port}/{size}/v1"}}
logging: {{level: warning}}
"""


def measure(name: str, size: str, count: int) -> None:
    upstream, ours = free_port(), free_port()
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.yaml")
        config.write_text(CONFIG.format(port=upstream, size=size))
        stack.enter_context(process(upstream, str(HERE / "upstream.py"), str(upstream)))
        pid = stack.enter_context(
            process(ours, "-m", "gateway", "--config", str(config), "--port", str(ours))
        )
        cheapest = {"native": float("inf"), "chat": float("inf")}
        for number in range(ROUNDS + 1):
            for model, before in cheapest.items():
                spent = microseconds(ours, pid, model=model, stream=True, count=count)
                if number:  # the first round warms both up
                    cheapest[model] = min(before, spent)
    events = int(size.removesuffix("-paced"))
    relayed, translated = (cheapest[model] / events for model in ("native", "chat"))
    more = translated - relayed
    print(f"{name:>18} {relayed:12.1f} {translated:12.1f} {more:+12.1f}", flush=True)


if __name__ == "__main__":
    print(f"{'CPU µs per event':>18} {'relayed':>12} {'translated':>12} {'more':>12}")
    for case, (size, count) in CASES.items():
        measure(case, size, count)
