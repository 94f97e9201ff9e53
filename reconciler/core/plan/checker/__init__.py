"""Check that a finished action does what it shows, independently of the code that builds plans.

A reviewer reads changes, but the service gets requests. So the requests are decoded here and
compared with the changes, byte for byte. Pins, members and hazards must match too. The builder's
code is not used, so that a bug in one of the two, or a forged plan, does not pass the other.
"""

from reconciler.core.plan.checker.calls import grouped_calls, made
from reconciler.core.plan.checker.judge import contradictions, contradictions_of_all, edited

__all__ = ["contradictions", "contradictions_of_all", "edited", "grouped_calls", "made"]
