"""The command line: each command parses, calls one library function, and prints.

Modules here import nothing but click and the standard library at the top, so that `--help` is instant.
"""
