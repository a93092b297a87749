"""Metrics and logs: what the telephony engineer watches, without personal data."""
