"""Strings to ids: reading, tokenizing, vocabulary, encoded corpus."""
