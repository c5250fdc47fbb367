"""What tests of n-gram models share."""


def entries(model):
    """{n-gram: (log10 p, log10 backoff or None)} of anything with a vocabulary and a trie, read off its arrays."""
    trie = model.trie() if callable(model.trie) else model.trie
    words, found = model.vocabulary.words(), {}

    def walk(node, ngram):
        inner = node < len(trie.backoff)
        found[ngram] = (float(trie.log_p[node]), float(trie.backoff[node]) if inner else None)
        for child in range(trie.edges[node], trie.edges[node + 1]) if inner else ():
            walk(child, (*ngram, words[trie.words[child]]))

    for node in range(len(words)):
        walk(node, (words[node],))
    return found
