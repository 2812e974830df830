"""Nobody leaves out a test of the kit without saying why."""

import subprocess
import sys
from collections.abc import Mapping
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import pytest

from gateway.testing.suite import complain

HEADER = """
import pytest
from gateway.plugin.failures import read_failure
from gateway.testing.failures import FailureRules

class Dialect:
    def error(self, failure):
        return read_failure(failure)
"""
SOUND = """
class TestConformance(FailureRules):
    dialect = Dialect()
"""
OVERRIDDEN = f"""{SOUND}
    def test_an_error_says_when_to_come_back(self):
        pass
"""
EXCUSED = f"""{SOUND}
    @pytest.mark.xfail(reason="acme says it in words")
    def test_an_error_says_when_to_come_back(self):
        super().test_an_error_says_when_to_come_back()
        assert False
"""
UNEXPLAINED = OVERRIDDEN.replace("    def", "    @pytest.mark.xfail\n    def")
INHERITED = """
class Mine:
    def test_an_error_says_when_to_come_back(self):
        pass

class TestConformance(Mine, FailureRules):
    dialect = Dialect()
"""
LATER = f"{SOUND}\nTestConformance.test_an_error_says_when_to_come_back ="

GOOD = {
    "sound": SOUND,
    "excused": EXCUSED,
    "skipped_with_a_reason": f'@pytest.mark.skip(reason="acme is closed"){SOUND}',
}
BAD = {
    "overridden": (OVERRIDDEN, "is overridden"),
    "excused_without_a_reason": (UNEXPLAINED, "is overridden"),
    "inherited": (INHERITED, "is overridden"),
    "overridden_later": (f"{LATER} lambda self: None", "is overridden"),
    "deleted": (f"{SOUND}\n    test_an_error_says_when_to_come_back = None", "is deleted"),
    "deleted_later": (f"{LATER} None", "is deleted"),
    "skipped": (f"@pytest.mark.skip{SOUND}", "is skipped without a reason"),
}

Outcomes = Mapping[str, list[Element]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What a pytest of its own reports of the good and the bad suites, by their names."""
    directory = tmp_path_factory.mktemp("suites")
    report = directory / "report.xml"
    sources = GOOD | {name: source for name, (source, _) in BAD.items()}
    for name, source in sources.items():
        (directory / f"test_{name}.py").write_text(HEADER + source)
    options = ["-p", "no:cacheprovider", "--continue-on-collection-errors", f"--junit-xml={report}"]
    command = [sys.executable, "-m", "pytest", *options, f"--rootdir={directory}", "."]
    subprocess.run(command, cwd=directory, capture_output=True, check=False)
    found: dict[str, list[Element]] = {name: [] for name in sources}
    for test in ET.parse(report).iter("testcase"):
        file, *_ = f"{test.attrib['classname']}.{test.attrib['name']}".strip(".").split(".")
        found[file.removeprefix("test_")].append(test)
    return found


@pytest.mark.parametrize("name", GOOD)
def test_a_suite_that_says_why_passes(name: str, outcomes: Outcomes) -> None:
    tests = outcomes[name]
    assert len(tests) > 20
    assert all(detail.tag == "skipped" for test in tests for detail in test)


@pytest.mark.parametrize("name", BAD)
def test_a_suite_that_leaves_out_a_test_is_not_even_collected(
    name: str, outcomes: Outcomes
) -> None:
    _, complaint = BAD[name]
    (error,) = [detail for test in outcomes[name] for detail in test]
    assert len(outcomes[name]) == 1
    assert error.tag == "error"
    assert complaint in (error.text or "")


def test_complaints_are_told_all_at_once_and_with_their_rule() -> None:
    complain("tea is hot", [])
    with pytest.raises(pytest.fail.Exception, match=r"tea is hot\. But:\n  - it is cold\n  - gone"):
        complain("tea is hot", ["it is cold", "gone"])
