"""Plain twins of the kernels for KenLM binary files."""


def read_fields(data, width, offset, bits, count):
    """Fields of a long number whose least significant bit comes first."""
    number = int.from_bytes(data, "little")
    return [(number >> (i * width + offset)) & ((1 << bits) - 1) for i in range(count)]


def match(strips, lefts, rights, keys):
    """For each key all (left, right) places that give it, over the ranges of each strip."""
    pairs = {key: [] for key in keys}
    for first_right, last_right, first_left, last_left in strips:
        for i in range(first_right, last_right):
            for j in range(first_left, last_left):
                if rights[i] ^ lefts[j] in pairs:
                    pairs[rights[i] ^ lefts[j]].append((j, i))
    return pairs


def key(words):
    """The hash key of an n-gram, from its last word to its first."""
    value = words[-1]
    for word in reversed(words[:-1]):
        value = (value * 8978948897894561157 ^ (1 + word) * 17894857484156487943) & (1 << 64) - 1
    return value
