"""Every compiled loop of textkit: arrays and scalars in, arrays out.

Kernels never raise, print, allocate per token or touch Python objects. `jit` holds all compilation policy.
"""
