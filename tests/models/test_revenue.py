"""Revenue policies: the shipped ones, the project's own, and what cannot be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import UsageError
from models.revenue import SHIPPED, RevenuePolicies
from pipeline.revenue_macros import revenue_macros
from warehouse.definitions import load_definitions

GENERATED = Path(__file__).parents[2] / "dbt_project" / "macros" / "generated" / "revenue_policy.sql"


def test_a_project_adds_policies_and_names_its_default(tmp_path: Path) -> None:
    """Beside the shipped ones; what a policy does not say is as in the default one."""
    (tmp_path / "revenue_policy.yml").write_text("default: board\npolicies: {board: {trialing: include}}\n")
    policies = load_definitions(tmp_path).revenue
    assert (policies.default, list(policies.known)) == ("board", [*SHIPPED, "board"])
    assert policies.known["board"].statuses == ["active", "past_due", "trialing"]
    assert policies.known["board"].durations == ["forever", "repeating"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("default: bord\npolicies: {board: {}}", "there is no policy 'bord' (did you mean 'board'?)"),
        ("policies: {gdp: {}}", "'gdp' is a shipped policy, which stays as it is; give yours another name"),
        ('policies: {"it\'s": {}}', '"it\'s" is no name of a policy'),
        ("policies: {board: {unpaid: maybe}}", "policies.board.unpaid"),
        ("policies: {board: {discounts: some}}", "policies.board.discounts"),
        ("policies: {board: {metered: include}}", "policies.board.metered"),
        ("policies: {board: {grace: 3}}", "grace"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """With the file and the place."""
    (tmp_path / "revenue_policy.yml").write_text(text)
    with pytest.raises(UsageError) as refusal:
        load_definitions(tmp_path)
    assert complaint in str(refusal.value)
    assert str(tmp_path / "revenue_policy.yml") in str(refusal.value)


def test_the_shipped_project_has_the_shipped_policies() -> None:
    """The macro file in the repository is what no definitions give."""
    assert GENERATED.read_text() == revenue_macros(RevenuePolicies())
