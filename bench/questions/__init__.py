"""A store of many questions at work: ``python -m bench questions``."""
