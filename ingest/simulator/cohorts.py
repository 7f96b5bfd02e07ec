"""The truth about retention: of those who signed up in a week, who acted on the seventh and thirtieth day after."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.simulator.acts import Acts
from ingest.simulator.catalog import KINDS
from ingest.simulator.chance import Ints
from ingest.simulator.people import People
from ingest.simulator.season import DAY, Season

_DAYS = (7, 30)
_MONDAY = 4  # the first Monday after the first of January 1970, a Thursday, is day 4
SCHEMA = pa.schema([("week", pa.date32()), ("size", pa.int64()), ("d7", pa.int64()), ("d30", pa.int64())])


@dataclass
class _Cohort:
    size: int = 0
    last_signup: int = 0
    active: list[int] = field(default_factory=lambda: [0] * len(_DAYS))


class Cohorts:
    """Counts weekly cohorts chunk by chunk; days are calendar days, UTC."""

    def __init__(self) -> None:
        self._cohorts: dict[int, _Cohort] = {}

    def add(self, people: People, acts: Acts) -> None:
        """Count the persons of a chunk."""
        signup_day = people.signup_at // DAY
        active = self._active(people, acts, signup_day)
        week = signup_day - (signup_day - _MONDAY) % 7
        for monday in np.unique(week[people.signed_up]).tolist():
            members = people.signed_up & (week == monday)
            cohort = self._cohorts.setdefault(monday, _Cohort())
            cohort.size += int(members.sum())
            cohort.last_signup = max(cohort.last_signup, int(signup_day[members].max()))
            for number in range(len(_DAYS)):
                cohort.active[number] += int((members & active[number]).sum())

    def table(self, season: Season) -> pa.Table:
        """One row per week; a count is null while a member has not lived through that day."""
        end = season.end // DAY
        rows = [
            (
                monday,
                cohort.size,
                *(
                    count if cohort.last_signup + day < end else None
                    for day, count in zip(_DAYS, cohort.active, strict=True)
                ),
            )
            for monday, cohort in sorted(self._cohorts.items())
        ]
        columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
        arrays = [
            pa.array(columns[0], pa.int32()).cast(pa.date32()),
            *(pa.array(one, pa.int64()) for one in columns[1:]),
        ]
        return pa.table(arrays, schema=SCHEMA)

    @staticmethod
    def _active(people: People, acts: Acts, signup_day: Ints) -> npt.NDArray[np.bool_]:
        """Day × person: who acted on it."""
        actions = acts.at_positions(np.array([kind.is_action for kind in KINDS])[acts.kind])
        since = actions.at // DAY - signup_day[actions.person]
        active = np.zeros((len(_DAYS), people.count), dtype=bool)
        for number, day in enumerate(_DAYS):
            active[number, actions.person[since == day]] = True
        return active
