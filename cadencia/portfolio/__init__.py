"""Portfolios: what a creditor's file says, checked line by line, on its way into the store."""
