"""The list of public corpora: complete, well-formed, and without invented figures."""

import re
import string

import pytest
from textkit.corpora.catalogue import Entry, catalogue, entry

from textkit.errors import UsageError

KINDS = {"text", "labelled", "analogies", "similarity", "treebank"}


@pytest.mark.parametrize("known", catalogue().values(), ids=list(catalogue()))
def test_entry_is_well_formed(known):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", known.name)
    assert known.kind in KINDS
    assert re.match(r"https?://[a-z0-9.-]+/\S+$", known.url)
    assert known.title and known.licence and known.note
    assert known.size_bytes is None or known.size_bytes > 1000
    assert known.sha256 is None or (len(known.sha256) == 64 and set(known.sha256) <= set(string.hexdigits.lower()))


def test_names_and_checksums_are_told_apart():
    entries = catalogue().values()
    assert len(entries) >= 20
    assert len({known.filename for known in entries}) == len(entries)
    assert len({known.url for known in entries}) == len(entries)
    sums = [known.sha256 for known in entries if known.sha256]
    assert len(set(sums)) == len(sums) >= 10
    assert {known.kind for known in entries} == KINDS


@pytest.mark.parametrize(
    ("url", "filename"),
    [
        ("http://x.org/dc/text8.zip", "n.zip"),
        ("http://x.org/a/aclImdb_v1.tar.gz", "n.tar.gz"),
        ("http://x.org/news.2007.en.shuffled.deduped.gz", "n.gz"),
        ("http://x.org/eng_sentences.tsv.bz2?x=1.zip", "n.tsv.bz2"),
        ("http://x.org/v2.0/plain", "n"),
    ],
)
def test_filename_has_the_ending_of_the_url(url, filename):
    assert Entry("n", "", "text", url, "").filename == filename


def test_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        catalogue()["more"] = entry("text8")


def test_unknown_name_suggests_a_close_one():
    with pytest.raises(UsageError, match="Did you mean enwik8"):
        entry("enwiki8")
