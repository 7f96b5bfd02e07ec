"""The other face: HTTP intake, JSON API and pages (none yet)."""
