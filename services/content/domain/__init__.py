"""What may happen to content, and what follows from it. Pure: no clock, no database, no Kafka."""
