"""The parts of `benches/compare/run`. The standard library only."""
