"""The pages of qa: parse, execute, show."""
