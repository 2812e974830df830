"""Tools that the gateway runs: many answers of a model, and the calls between them."""
