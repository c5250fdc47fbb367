"""Labelled sentences from small grammars: several classes, several labels a line, and rare classes.

Classes share most of their words and a tenth of the sentences talk of another topic too, so that a good classifier
makes some mistakes and a bad one many.
"""

import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

Choice = TypeVar("Choice")

# Label → (things, deeds): the words that speak for it.
TOPICS: dict[str, tuple[str, str]] = {
    "cooking": ("oven pan dough soup knife recipe flour butter onion sauce kitchen spoon pepper bread stew",
                "baked stirred tasted chopped boiled seasoned served"),
    "travel": ("train ticket hotel passport luggage station border map coast bridge ferry airport guide village",
               "travelled arrived booked crossed departed packed visited"),
    "weather": ("rain storm wind cloud frost snow thunder fog heat sunshine forecast drizzle hail sky",
                "rained froze cleared blew melted thundered darkened"),
    "music": ("violin piano choir concert melody drum song orchestra rhythm singer flute chord stage guitar",
              "sang played rehearsed tuned composed listened performed"),
    "sport": ("goal team ball referee match league coach runner race stadium score champion penalty medal",
              "won lost scored trained raced kicked defended"),
    "money": ("bank price market loan tax wage share budget coin profit debt invoice savings rent",
              "paid sold bought borrowed saved earned invested"),
    "health": ("doctor nurse medicine fever bandage clinic heart patient tablet sleep wound diet pulse surgery",
               "healed rested coughed recovered treated ached examined"),
    "gardening": ("seed soil rose spade hedge tomato greenhouse compost lawn weed root blossom fence orchard",
                  "planted watered pruned dug harvested mowed bloomed"),
}  # fmt: skip

_SHARED = {
    "who": "my neighbour|the old man|a friend of ours|the whole family|nobody|the two sisters|our teacher|a stranger|"
    "the young couple|everyone in the street",
    "when": "yesterday|last week|early in the morning|after lunch|on Sunday|for the first time|late at night|again|"
    "all summer long|before anybody noticed",
    "how": "slowly|with great care|without a word|in a hurry|as usual|quite by chance|with a smile|not at all well",
    "also": "and then the phone rang|but that is another story|which surprised us|and the children laughed|"
    "as the letter had said|so we went home|while the dog barked|and it cost a lot of time",
}
_FRAMES = (
    "{who} {deed} the {thing} {when} , {also} .",
    "{when} {who} talked about the {thing} and the {other} {how} , {also} .",
    "the {thing} was new , so {who} {deed} it {how} .",
    "{who} {deed} {how} , though the {thing} and the {other} were not ready {when} .",
    "what became of the {thing} ? {who} {deed} {when} , {also} .",
)
_ANYTHING = "house|story|table|question|morning|garden-gate|letter|friend|road|picture|idea|window|day"


class _Speaker:
    """Draws words and sentences; equal seeds say the same on every machine."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def pick(self, choices: Sequence[Choice]) -> Choice:
        # random() is the one method whose results no version of Python changes.
        return choices[int(self.rng.random() * len(choices))]

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def sentence(self, label: str) -> str:
        """A sentence on a topic; one word in four of its things is a word of no topic, a few are of another."""
        things, deeds = (words.split() for words in TOPICS[label])
        other = self.pick(list(TOPICS.values()))[0].split() if self.chance(0.15) else things
        shared = {name: self.pick(choices.split("|")) for name, choices in _SHARED.items()}
        thing = self.pick(_ANYTHING.split("|") if self.chance(0.25) else things)
        second = self.pick(_ANYTHING.split("|") if self.chance(0.5) else other)
        return self.pick(_FRAMES).format(thing=thing, other=second, deed=self.pick(deeds), **shared)


def topics(seed: int = 0) -> Iterator[str]:
    """`__label__TOPIC` and one or two sentences, without end; the eight topics are equally frequent."""
    speaker = _Speaker(seed)
    while True:
        label = speaker.pick(list(TOPICS))
        # One line in twenty is a slip of whoever labelled it.
        shown = speaker.pick(list(TOPICS)) if speaker.chance(0.05) else label
        text = " ".join(speaker.sentence(label) for _ in range(1 + speaker.chance(0.5)))
        yield f"__label__{shown} {text}"


def multilabel(seed: int = 0) -> Iterator[str]:
    """One to three labels, and a sentence on each in random order, without end."""
    speaker = _Speaker(seed)
    while True:
        wanted = 1 + speaker.chance(0.5) + speaker.chance(0.2)
        chosen: list[str] = []
        while len(chosen) < wanted:
            label = speaker.pick(list(TOPICS))
            if label not in chosen:
                chosen.append(label)
        text = " ".join(speaker.sentence(label) for label in chosen)
        yield " ".join(f"__label__{label}" for label in sorted(chosen)) + f" {text}"


def imbalanced(seed: int = 0) -> Iterator[str]:
    """Labels `ordinary` (94 %), `urgent` (5 %) and `critical` (1 %), without end."""
    speaker = _Speaker(seed)
    while True:
        roll = speaker.rng.random()
        label, topic = (
            ("ordinary", "travel") if roll < 0.94 else ("urgent", "weather") if roll < 0.99 else ("critical", "health")
        )
        # The rare labels are only now and then spoken of in their own words.
        spoken = topic if speaker.chance(0.85) else speaker.pick(list(TOPICS))
        if label == "ordinary":
            spoken = speaker.pick([name for name in TOPICS if name not in ("weather", "health")])
        yield f"__label__{label} {speaker.sentence(spoken)}"
