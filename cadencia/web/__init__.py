"""The web: pages, JSON API, event streams, sign-in. It talks to the `Desk` and to the store's sign-in part, no more."""
