"""Perennial: subscriptions and their renewals."""

import zoneinfo

# The locked tzdata package decides when a zone's midnight is, not whatever the machine has installed: Debian
# and the package disagree about fourteen zones in 2026, and two machines must not expire a subscription at
# two different instants. Any import below `app` passes here first.
zoneinfo.reset_tzpath(())
