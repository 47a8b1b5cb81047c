"""What ends a process that stood for election. It is started again by whoever runs it, and stands by under a new identity.

TinyforgeError
├── CampaignFailed           it took the Lease and could not claim the database
└── LeaseLost                it led, and somebody else's word stands in the Lease
"""

from tinyforge.ports import TinyforgeError


class CampaignFailed(TinyforgeError):
    """The Lease was taken, and the database could not be claimed: a process leads at most one term, and this was it."""


class LeaseLost(TinyforgeError):
    """Somebody else holds the Lease: the term is over, without a drain and with nothing to give back."""
