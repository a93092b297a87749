"""Cadencia: a predictive dialer and call-orchestration engine for debt-collection floors."""

__version__ = "0.1.0"
