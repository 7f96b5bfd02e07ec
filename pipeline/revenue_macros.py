"""The revenue policies as dbt macros: what the models ask of them."""

from __future__ import annotations

import json

from models.revenue import RevenuePolicies

_HEADER = "{# The revenue policies; a build replaces this file. #}\n"


def revenue_macros(policies: RevenuePolicies) -> str:
    """The text of macros/generated/revenue_policy.sql."""
    rows = [
        {"name": name, "statuses": policy.statuses, "durations": policy.durations}
        for name, policy in policies.known.items()
    ]
    written = ",\n".join(f"        {json.dumps(row)}" for row in rows)
    return (
        f"{_HEADER}"
        f"{{% macro default_policy() %}}{{{{ return({json.dumps(policies.default)}) }}}}{{% endmacro %}}\n"
        f"{{% macro reporting_currency() %}}{{{{ return({json.dumps(policies.reporting_currency)}) }}}}"
        "{% endmacro %}\n"
        f"{{% macro revenue_policies() %}}\n    {{{{ return([\n{written}\n    ]) }}}}\n{{% endmacro %}}\n"
    )
