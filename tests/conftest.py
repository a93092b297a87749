"""What all tests share."""

from __future__ import annotations

import logging

import structlog

# Under the virtual clock hours of log lines would bury a failure.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
