"""Synthetic conversations the demo model is trained on, and their held-out evaluation split.

Every task is a function of a `random.Random` that returns a list of (user, model) turns. A turn's
answer is a function of its question and of earlier turns alone, so accuracy is exact match.
"""

CAPITALS = {
    "France": "Paris",
    "Germany": "Berlin",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Portugal": "Lisbon",
    "Austria": "Vienna",
    "Norway": "Oslo",
    "Sweden": "Stockholm",
    "Finland": "Helsinki",
    "Denmark": "Copenhagen",
    "Iceland": "Reykjavik",
    "Ireland": "Dublin",
    "Poland": "Warsaw",
    "Hungary": "Budapest",
    "Greece": "Athens",
    "Turkey": "Ankara",
    "Egypt": "Cairo",
    "Kenya": "Nairobi",
    "Ghana": "Accra",
    "Nigeria": "Abuja",
    "Morocco": "Rabat",
    "Tunisia": "Tunis",
    "Senegal": "Dakar",
    "Japan": "Tokyo",
    "China": "Beijing",
    "India": "Delhi",
    "Nepal": "Kathmandu",
    "Thailand": "Bangkok",
    "Vietnam": "Hanoi",
    "Malaysia": "Kuala Lumpur",
    "Indonesia": "Jakarta",
    "Iran": "Tehran",
    "Iraq": "Baghdad",
    "Jordan": "Amman",
    "Lebanon": "Beirut",
    "Qatar": "Doha",
    "Canada": "Ottawa",
    "Mexico": "Mexico City",
    "Cuba": "Havana",
    "Panama": "Panama City",
    "Peru": "Lima",
    "Chile": "Santiago",
    "Brazil": "Brasilia",
    "Colombia": "Bogota",
    "Ecuador": "Quito",
    "Bolivia": "La Paz",
    "Uruguay": "Montevideo",
    "Argentina": "Buenos Aires",
    "Australia": "Canberra",
    "New Zealand": "Wellington",
    "Ukraine": "Kyiv",
    "Romania": "Bucharest",
    "Bulgaria": "Sofia",
    "Serbia": "Belgrade",
    "Croatia": "Zagreb",
    "Slovenia": "Ljubljana",
    "Latvia": "Riga",
    "Estonia": "Tallinn",
    "Lithuania": "Vilnius",
    "Belgium": "Brussels",
}
NAMES = """
    Ana Ben Carla David Elena Felix Grace Hugo Iris Jonas Karin Leo Maria Nils Olga Paul Rosa
    Simon Tina Victor
""".split()
CITIES = sorted(city for city in CAPITALS.values() if " " not in city)
COLORS = "red blue green yellow black white purple orange silver golden".split()
THINGS = "box key book lamp coin cup ring map bag hat".split()
PLACES = "kitchen garden attic cellar library garage office bedroom hall tower".split()
WORDS = """
    apple river stone cloud tiger piano lemon ocean forest candle window bridge rabbit silver
    planet engine basket mirror ladder pepper
""".split()
ANIMALS = "fox owl bear hare wolf mouse deer crow otter cat".split()
FILLERS = [
    "The sky was clear and the road was long.",
    "Nobody spoke for a while.",
    "A clock was ticking somewhere in the house.",
    "Rain fell on the roof all night.",
    "The train was late again.",
    "Children were playing near the river.",
    "The market opened early that day.",
    "Somebody had left the window open.",
    "The soup was still warm.",
    "A dog slept beside the old door.",
    "The letter arrived in the morning.",
    "They walked along the shore until dark.",
]


def capital(rng):
    country = rng.choice(list(CAPITALS))
    question = rng.choice(
        [
            "What is the capital of {}?",
            "Which city is the capital of {}?",
            "Name the capital of {}.",
        ]
    ).format(country)
    return [(question, f"The capital of {country} is {CAPITALS[country]}.")]


def country(rng):
    name = rng.choice(list(CAPITALS))
    return [
        (
            f"{CAPITALS[name]} is the capital of which country?",
            f"{CAPITALS[name]} is the capital of {name}.",
        )
    ]


def arithmetic(rng):
    kind = rng.choice("++-*")
    if kind == "*":
        a, b = rng.randint(1, 12), rng.randint(1, 12)
        return [(f"What is {a} times {b}?", f"{a} times {b} is {a * b}.")]
    a, b = rng.randint(0, 99), rng.randint(0, 99)
    if kind == "-":
        a, b = max(a, b), min(a, b)
        return [(f"What is {a} minus {b}?", f"{a} minus {b} is {a - b}.")]
    return [(f"What is {a} plus {b}?", f"{a} plus {b} is {a + b}.")]


def reverse(rng):
    words = rng.sample(WORDS, rng.randint(2, 5))
    question = "Reverse the order of these words: " + " ".join(words)
    return [(question, " ".join(reversed(words)))]


def sort_words(rng):
    words = rng.sample(WORDS, rng.randint(2, 5))
    return [("Sort these words from A to Z: " + " ".join(words), " ".join(sorted(words)))]


def count(rng):
    words = [rng.choice(WORDS) for _ in range(rng.randint(1, 9))]
    question = "How many words are in this list? " + " ".join(words)
    if len(words) == 1:
        return [(question, "There is 1 word.")]
    return [(question, f"There are {len(words)} words.")]


def json_record(rng):
    name, age, city = rng.choice(NAMES), rng.randint(18, 79), rng.choice(CITIES)
    return [
        (
            f"Write this as JSON: {name} is {age} years old and lives in {city}.",
            f'{{"name": "{name}", "age": {age}, "city": "{city}"}}',
        )
    ]


def story(rng):
    hero, owner = rng.choice(ANIMALS), rng.choice(ANIMALS)
    place, thing, color = rng.choice(PLACES), rng.choice(THINGS), rng.choice(COLORS)
    return [
        (
            f"Tell me a short story about a {hero}.",
            f"Once there was a {hero} who lived near the {place}. "
            f"One day the {hero} found a {color} {thing}. "
            f'"Whose {thing} is this?" asked the {hero}. "It is mine," said the {owner}. '
            f"The {hero} gave the {thing} back, and they became friends.",
        )
    ]


def hello(rng):
    return [
        rng.choice(
            [
                ("Hello!", "Hello! How can I help you?"),
                ("Hi!", "Hello! How can I help you?"),
                (
                    "Who are you?",
                    "I am a tiny Gemma 3 demo model. I know capitals, small sums and short lists.",
                ),
                (
                    "What can you do?",
                    "I know capitals, small sums and short lists. "
                    "I can also remember what you tell me.",
                ),
                ("Thank you!", "You are welcome!"),
                ("Goodbye!", "Goodbye! See you soon."),
            ]
        )
    ]


def name_memory(rng):
    name = rng.choice(NAMES)
    between = [rng.choice(SIMPLE)(rng)[0] for _ in range(rng.randint(0, 3))]
    return (
        [(f"My name is {name}.", f"Nice to meet you, {name}!")]
        + between
        + [("What is my name?", f"Your name is {name}.")]
    )


def repeat(rng):
    """Copying: the shortest way to learn to look back."""
    words = [rng.choice(WORDS + COLORS + PLACES) for _ in range(rng.randint(3, 16))]
    return [("Repeat after me: " + " ".join(words), " ".join(words))]


def recall(rng, filler=None):
    """Key-value recall; with enough filler the key lies beyond the sliding window, so only global
    layers can answer."""
    names = rng.sample(NAMES, rng.randint(1, 4))
    word = {name: rng.choice(WORDS + CITIES) for name in names}
    text = [f"{name} {word[name]}." for name in names]
    text += [rng.choice(FILLERS) for _ in range(rng.randint(0, 22) if filler is None else filler)]
    name = rng.choice(names)
    question = "Remember this. " + " ".join(text) + f" Which word follows {name}?"
    return [(question, f"It is {name} {word[name]}.")]


def recall_many(rng):
    """Several questions about the same facts: four times the practice in binding a value to its
    key."""
    names = rng.sample(NAMES, rng.randint(2, 5))
    word = {name: rng.choice(WORDS + CITIES) for name in names}
    text = [f"{name} {word[name]}." for name in names]
    text += [rng.choice(FILLERS) for _ in range(rng.choice([0, 0, 0, 2, 6, 14]))]
    turns = [("Remember this. " + " ".join(text), "I will remember it.")]
    for name in rng.sample(names, len(names)):
        turns.append((f"Which word follows {name}?", f"It is {name} {word[name]}."))
    return turns


def name_far(rng, filler=None):
    """One fact and up to some 300 tokens of filler: further than the sliding layers together can
    carry it, so the global layer must look back."""
    name = rng.choice(NAMES)
    text = [rng.choice(FILLERS) for _ in range(rng.randint(4, 46) if filler is None else filler)]
    return [
        (f"My name is {name}.", f"Nice to meet you, {name}!"),
        ("Remember this. " + " ".join(text), "I will remember it."),
        ("What is my name?", f"Your name is {name}."),
    ]


# What training draws from: repeated where more practice is needed.
SIMPLE = [capital] * 2 + [country] + [arithmetic] * 4
SIMPLE += [reverse, sort_words, count, json_record, hello]
TASKS = SIMPLE + [story, name_memory, repeat] + [recall] * 4 + [recall_many] * 5 + [name_far] * 3

# What the model masters, and is measured by.
EVAL = {
    "capital": capital,
    "country": country,
    "arithmetic": arithmetic,
    "reverse": reverse,
    "sort_words": sort_words,
    "count": count,
    "json_record": json_record,
    "repeat": repeat,
    "name_memory": name_memory,
    "name_far": lambda rng: name_far(rng, 46),
}

# Not learnt: it picks one of the words at random (0.5).
OPEN = {
    "recall_near": lambda rng: recall(rng, 0),
    "recall_far": lambda rng: recall(rng, 20),
}


def sample(rng):
    """A conversation of a random task."""
    return rng.choice(TASKS)(rng)
