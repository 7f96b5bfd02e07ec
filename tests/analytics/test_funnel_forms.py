"""Both forms of the funnel give the same answer on more data than an oracle can walk through."""

from __future__ import annotations

import pytest

from analytics import funnel
from analytics.spec import make_spec
from tests.analytics.builders import TinyWarehouse

FUNNELS = (
    ("a", "b", "c"),
    ("a", "a", "b"),
    ("a", "b", "a"),
    ("a|b", "b|c", "c|d", "d"),
    ("d", "a|b|c|d", "a"),
    ("a", "b", "c", "d", "e", "a"),
)


@pytest.mark.slow
@pytest.mark.parametrize("stages", FUNNELS)
@pytest.mark.parametrize("by", [None, "utm_source"])
def test_both_forms_agree(stages: tuple[str, ...], by: str | None) -> None:
    """Two hundred thousand events on a clock of minutes, so that ties are common."""
    with TinyWarehouse() as warehouse:
        warehouse.connection.execute(
            """
            insert into event
            select
                'app', cast(n as varchar), substr('abcde', 1 + n * 7919 % 5, 1), 'core_value', true,
                timestamptz '2026-01-01 00:00:00+00' + interval '1' minute * (hash(n) % 20000), hash(n * 31) % 5000,
                substr('xyz', 1 + n % 3, 1), '{}'
            from range(200000) as numbers(n)
            """
        )
        spec = make_spec(funnel.FunnelSpec, stages=stages, window="72h", by=by)
        answers = [funnel.run(warehouse, spec, form=form).to_json() for form in ("asof", "window")]
    assert answers[0] == answers[1]
    assert answers[0]["stages"][-1]["count"] > 0
