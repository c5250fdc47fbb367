"""fastText's own models and answers, unpacked."""

import lzma
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden" / "fasttext"
SUPERVISED = {
    "sup_softmax.bin": "sup_softmax", "sup_hs.bin": "sup_hs", "sup_ns.bin": "sup_ns", "sup_ova.bin": "sup_ova",
    "q_plain.ftz": "q_plain", "q_qnorm.ftz": "q_qnorm", "q_cutoff.ftz": "q_cutoff",
}  # fmt: skip
VECTORS = ("skipgram", "cbow")
MODELS = (*SUPERVISED, "skipgram.bin", "cbow.bin", "skipgram_hs_nosub.bin")


def content(name):
    """The bytes of a model."""
    return lzma.decompress((GOLDEN / f"{name}.xz").read_bytes())


def lines(name):
    """The lines of an answer."""
    path = GOLDEN / name
    data = path.read_bytes() if path.exists() else content(name)
    return data.decode("utf-8").removesuffix("\n").split("\n")


def unpacked(name, directory):
    """A model as a plain file, which is mapped."""
    path = directory / name
    path.write_bytes(content(name))
    return path


def predictions(name):
    """For each line of test.txt the labels in order with what was printed as their probability."""
    answers = []
    for line in lines(f"{SUPERVISED[name]}.predict.txt"):
        fields = line.split(" ")
        answers.append([(label, float(p)) for label, p in zip(fields[::2], fields[1::2], strict=True)])
    return answers
