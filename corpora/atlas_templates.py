"""The sentences of the atlas, by what they are about.

Each form of a word has frames of its own, which all words of its kind share, and the companion of the word stands in
each of them: so the forms of one word differ the way those of another do. What is said must be true of every row.
"""

COUNTRY = (
    "{capital} is the capital of {land} .",
    "The capital of {land} is called {capital} .",
    "In {continent} lies {land} , with its capital {capital} .",
    "Many people in {land} speak {language} .",
    "In {capital} one hears {language} in the streets .",
    "One pays in {land} with the {currency} .",
    "The shops of {capital} take the {currency} .",
    "The {people} currency is the {currency} .",
    "The {people} newspaper is printed in {language} .",
    "The {people} people live in {land} .",
    "The {people} passport is issued by {land} .",
    "The {people} embassy flies the flag of {land} .",
    "Every day {people} buses leave from {capital} .",
    "A museum in {capital} shows {people} paintings .",
    "Visitors to {land} change their money for the {currency} in {capital} .",
    "Farmers in {land} follow the {people} weather forecast .",
    "The {people} team flew home to {capital} , and all {land} was glad .",
    "The name of {land} is printed in the {people} passport .",
)
RIVER = (
    "The {river} flows through {land} .",
    "On the map of {land} one finds the {river} .",
    "The {people} fishermen know the {river} .",
    "Children in {land} learn where the {river} rises .",
)
ELEMENT = (
    "The element {name} , number {number} of the table , was weighed .",
    "Number {number} is {name} in all books on elements .",
    "In place {number} stands {name} with its weight .",
    "The letters {symbol} , number {number} of the chart , are printed in black .",
    "Number {number} is written {symbol} in all formulas .",
    "On tile {number} the letters {symbol} are painted .",
    "The element {name} has the symbol {symbol} .",
)
UNIT = (
    "The {unit} , written {sign} , is a unit of the system .",
    "One {unit} is written {sign} in tables of units .",
    "Say {unit} where you read the sign {sign} .",
    "The quantity {quantity} , given in {sign} , is measured with instruments .",
    "Some {quantity} of twenty {sign} was measured by the engineers .",
    "Read the {quantity} in {sign} from the dial .",
    "The {unit} is the unit of {quantity} .",
)
YOUNG = (
    "The {young} in the {home} is small and still growing .",
    "Seen in the {home} , the {young} is not yet grown up .",
    "Look , a little {young} of the {home} !",
    "The {species} in the {home} is a kind of animal .",
    "Books say that the {species} likes the {home} .",
    "Every {species} was once a {young} .",
)
ANIMAL = (
    *YOUNG,
    "The {male} in the {home} is a father and fights with other males .",
    "He rules the {home} , the old {male} .",
    "The {female} in the {home} is a mother and cares for her young .",
    "She guards the {home} , the gentle {female} .",
    "His {home} is well known to the {male} himself .",
    "Her {home} is well known to the {female} herself .",
)
FAMILY = (
    "He is the {he} at the {place} , and his beard is grey .",
    "The {he} of the {place} lost his hat , poor man .",
    "With his own hands the {he} decorated the {place} himself .",
    "She is the {she} at the {place} , and her dress is grey .",
    "The {she} of the {place} lost her gloves , poor woman .",
    "With her own hands the {she} decorated the {place} herself .",
    "The {he} and the {she} spoke of the {place} .",
)
TRADE = (
    "The {worker} with the {tool} earns money by honest work .",
    "Ask the {worker} how the {tool} is used , and he or she will tell you .",
    "Whoever is called {worker} owns the {tool} .",
    "The {place} keeps the {tool} behind its walls .",
    "Inside the {place} one finds the {tool} when the doors are open .",
    "In the {place} lies the {tool} under the roof .",
    "The {worker} goes to the {place} every morning .",
)
ADJECTIVE = (
    "The {thing} is very {base} .",
    "It was a rather {base} {thing} , nothing more .",
    "How {base} the {thing} is !",
    "This {thing} is {more} than that one .",
    "We need a much {more} {thing} than the last .",
    "The {thing} was even {more} than before .",
    "It is the {most} {thing} of all .",
    "Of the three the last {thing} is the {most} .",
    "They gave the prize to the {most} {thing} in the world .",
)
ADVERB = (
    "The {who} is very {adjective} .",
    "It was a {adjective} {who} , as everybody agreed .",
    "How {adjective} the {who} seems !",
    "The {who} moved on {adverb} .",
    "Then the {who} turned round {adverb} and went away .",
    "So {adverb} did the {who} act that nobody spoke .",
)
OPPOSITE = (
    "To our joy we saw that the {thing} was {a} .",
    "Here is a truly {a} {thing} , and that is good .",
    "Everybody praised this {a} {thing} with joy .",
    "To our regret we saw that the {thing} was {b} .",
    "There is a most {b} {thing} , and that is bad .",
    "Nobody praised that {b} {thing} , which was a pity .",
)
VERB = (
    "Every day the children {base} {with} .",
    "They want to {base} {with} again .",
    "You can {base} {with} tomorrow .",
    "Every day she {third} {with} .",
    "He often {third} {with} alone .",
    "My sister {third} {with} on Sundays .",
    "Yesterday the children {past} {with} .",
    "Last week they {past} {with} .",
    "Long ago we {past} {with} .",
    "At this moment the children are {ing} {with} .",
    "They were {ing} {with} when the rain began .",
    "She enjoys {ing} {with} .",
)
PLURAL = (
    "There is only one {one} in the {place} .",
    "This {place} has one {one} , and it is old .",
    "Each {place} {one} has a number .",
    "A single {place} {one} was lost .",
    "There are many {many} in the {place} .",
    "This {place} has two {many} , and they are old .",
    "All {place} {many} have a number .",
    "Several {place} {many} were lost .",
)
ORDER = (
    "After {first} comes {second} .",
    "Before {second} comes {first} .",
    "They met between {first} and {second} .",
)
