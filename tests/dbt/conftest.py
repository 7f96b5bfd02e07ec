"""What the tests of the tables share."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.landing import STRIPE
from tests.dbt.builds import Workshop, delivery
from tests.dbt.definitions import stripe_workshop
from tests.dbt.generations import generations
from tests.dbt.scenarios import TELLINGS, tell, tellings
from tests.dbt.stripe_cases import money_cases, subscription_cases
from tests.dbt.stripes import NOW, day
from tests.pipeline.projects import Studio


@pytest.fixture(scope="session")
def scenario_studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """All scenarios, told several times in one build; for reading only. test_scenarios.py tells them in increments."""
    studio, told = Studio.make(tmp_path_factory.mktemp("scenarios") / "studio"), tellings(TELLINGS)
    assert tell(studio, told, 0, 1, 2) == "full refresh"
    return studio


@pytest.fixture(scope="session")
def told_by_stripe(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Workshop]:
    """What test_stripe.py and test_revenue.py tell, in one build, with its home; for reading only."""
    from tests.dbt.test_revenue import RATES, told_of_money

    shop = stripe_workshop(tmp_path_factory.mktemp("told_by_stripe"))
    shop.fx = RATES
    shop.land([*subscription_cases(), *money_cases(), *generations(), *told_of_money()], STRIPE)
    own = {"event_type": "video_rendered", "occurred_at": day(0)}
    shop.land(delivery(event_id=f"e{user}", user_id=user, **own) for user in ("u-ada", "ada"))
    return shop.build(NOW), shop
