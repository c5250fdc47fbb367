"""Text classification: labelled text, features, linear and embedding models, and what one asks of them."""
