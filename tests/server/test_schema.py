"""Whatever a program sends that the OpenAPI document allows, it gets an answer that the document names."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.server.conftest import serving

from bingcheng.archive.authorisation import Scope

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis

EXAMPLES = 10
"""Of each operation: the suite must stay short; the matrix asks every route in every role."""
ADMINISTRATOR, GUEST = ("site-admin", tuple(Scope)), ("guest", (Scope.CASES_READ,))


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    made = serving(tmp_path_factory.mktemp("schema") / "workspace", language="en")
    yield made
    made.close()


@pytest.fixture(scope="module")
def described(installation):
    schema = schemathesis.openapi.from_dict(installation.application.openapi())
    schema.app = installation.application
    return schema.include(path_regex="^/api/")


@pytest.mark.parametrize(("who", "scopes"), [ADMINISTRATOR, GUEST], ids=["administrator", "guest"])
@pytest.mark.filterwarnings("ignore")  # of the client that schemathesis uses
def test_the_interface_answers_as_its_description_says(installation, described, who, scopes):
    headers = {"authorization": installation.program(who, *scopes).headers["authorization"], "host": "127.0.0.1"}
    asked = 0
    for found in described.get_all_operations():

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=found.ok().as_strategy())
        def answers(case):
            nonlocal asked
            asked += 1
            answer = case.call(headers=headers)
            assert answer.status_code < 500
            case.validate_response(answer)

        answers()
    assert asked >= 2
