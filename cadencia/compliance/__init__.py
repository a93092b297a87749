"""Pure rules: may this person be called now, and if not, why and when next."""
