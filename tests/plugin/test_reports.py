"""An error that comes inside an answer of status 200 has the status that it names."""

import pytest

from gateway.plugin.reports import told_status


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, 429),
        ({"code": "503"}, 503),
        ({"type": "overloaded_error"}, 503),
        ({"code": "DEADLINE_EXCEEDED"}, 504),
        ({"code": "https://example.test/errors/permission_denied"}, 403),
        ({"code": 7}, 502),
        ({"message": "no"}, 502),
        ("no", 502),
    ],
)
def test_an_error_has_the_status_that_its_code_or_type_names(error: object, status: int) -> None:
    assert told_status(error) == status
