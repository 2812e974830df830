"""The benchmarks run: what they measure is nothing for a test, but that they measure it is."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "benchmarks" / "run.py"

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux", reason="the benchmarks read /proc, as Linux has it"
    ),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]


def test_a_quick_run_writes_a_report_in_which_nothing_is_lost(tmp_path: Path) -> None:
    command = [sys.executable, str(RUN), "--quick", "--only", "create", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    report = (tmp_path / "report.md").read_text()
    measured = [
        line.split(" | ") for line in report.splitlines() if line.startswith(("| 1 kB", "| 2 MB"))
    ]
    costs = [row for row in measured if row[-1] == "0 |"]
    assert len(costs) == 2, report
    assert all(float(cell) > 0 for row in costs for cell in row[1:3])
    assert (tmp_path / "creates.svg").read_text().startswith("<svg")
