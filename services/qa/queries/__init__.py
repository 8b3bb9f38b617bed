"""Every read of the qa database: lists for staff, one question's file, public answers, tracking, limits."""
