"""N-gram language models: counting, smoothing, the model, and the questions one can ask it."""
