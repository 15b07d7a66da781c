"""Projects (小区), buildings, entrances, units and the people behind them."""
