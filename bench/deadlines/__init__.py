"""The register of deadlines at work beside a polling scheduler: ``python -m bench deadlines``."""
