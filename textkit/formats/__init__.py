"""Other programs' files as plain arrays and back. Nothing here knows a model class."""
