"""The oracle: a client outside the system, faults at every named point, and the proof afterwards that nothing
was lost, doubled, reordered or stuck. The product knows nothing of it."""
