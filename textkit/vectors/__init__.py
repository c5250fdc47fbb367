"""Word vectors: training by skip-gram and CBOW, the vectors themselves, and what one asks of them."""
