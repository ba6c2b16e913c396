"""The small world that the built-in model knows: what a person asks for at home, in care, and day by day.

A phrase comes from a template filled with words of its slots (what people say) or, for a share of the training
clips, is a string of unrelated words (so that the model learns to hear words and not to guess sentences). Nothing
here makes sound; ``vocabulary()`` is the stated list of words.
"""

from __future__ import annotations

import random
import re
from functools import cache

SLOTS: dict[str, str] = {
    "person": "mum|dad|my sister|my brother|my daughter|my son|the nurse|the doctor|my friend|my neighbour|grandma|"
    "grandpa|my wife|my husband|my aunt|my uncle|my cousin|my teacher|my therapist|the carer|anna|tom|maria|peter|"
    "lucy|david|emma|sam|julia|martin|sophie|robert",
    "drink": "water|tea|coffee|milk|orange juice|apple juice|hot chocolate|lemonade|soup|a glass of water|"
    "a cup of tea|a cup of coffee|a glass of milk|a bottle of water",
    "food": "bread|butter|cheese|an apple|a banana|an orange|rice|pasta|chicken|fish|eggs|toast|porridge|yoghurt|"
    "salad|potatoes|carrots|peas|tomatoes|a sandwich|a biscuit|cake|ice cream|honey|jam|salt|pepper|sugar|beans|"
    "mushrooms|onions|grapes|strawberries|pizza|ham|nuts|cereal|pancakes",
    "thing": "phone|glasses|book|newspaper|blanket|pillow|jacket|coat|scarf|hat|shoes|socks|slippers|gloves|keys|"
    "wallet|bag|umbrella|cup|plate|spoon|fork|knife|bowl|towel|soap|toothbrush|comb|brush|medicine|tablets|walker|"
    "stick|wheelchair|tablet|laptop|charger|headphones|remote|pen|pencil|paper|letter|photo|box|bottle|straw|watch|"
    "ring|shirt|trousers|jumper|dress|belt|tissue|magazine|calendar|notebook|camera|guitar|basket|bucket|ladder",
    "device": "light|lamp|television|radio|heating|fan|oven|kettle|computer|music|alarm|washing machine|printer|"
    "toaster|fridge|microwave|dishwasher|screen|speaker|camera|air conditioner|doorbell",
    "room": "kitchen|bathroom|bedroom|living room|garden|garage|hall|office|balcony|cellar|attic|dining room",
    "opening": "door|window|curtains|blinds|gate|cupboard|drawer|fridge|box|bottle|jar|letter|front door|back door",
    "place": "shop|park|bank|hospital|school|church|library|station|market|cinema|museum|beach|river|town|village|"
    "pharmacy|post office|bakery|restaurant|hotel|airport|bus stop|swimming pool|clinic|theatre|farm|castle|bridge",
    "body": "head|back|arm|leg|hand|foot|knee|shoulder|neck|stomach|throat|ear|tooth|finger|chest|hip|elbow|ankle|eye",
    "feeling": "tired|happy|sad|cold|hot|hungry|thirsty|fine|better|worse|angry|afraid|lonely|bored|sick|dizzy|calm|"
    "proud|nervous|excited|confused|worried|ready|comfortable|sleepy|grateful",
    "weather": "sunny|rainy|windy|cloudy|foggy|snowy|cold|warm|hot|wet|dry|lovely|stormy",
    "time": "today|tomorrow|tonight|this morning|this afternoon|this evening|next week|on monday|on tuesday|"
    "on wednesday|on thursday|on friday|on saturday|on sunday|at noon|at midnight|in the morning|after lunch|"
    "before dinner|later|soon|in an hour|in ten minutes|next month|this year|every day",
    "number": "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    "seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|a hundred|a thousand",
    "month": "january|february|march|april|may|june|july|august|september|october|november|december",
    "colour": "red|blue|green|yellow|black|white|brown|grey|pink|purple|orange|silver",
    "size": "big|small|long|short|heavy|light|new|old|clean|dirty|soft|warm|thick|thin|round|empty|full|broken",
    "animal": "dog|cat|bird|horse|rabbit|fish|duck|cow|sheep|mouse|bee|spider|chicken|goat|hamster|parrot",
    "where": "on the table|in the kitchen|under the bed|next to the sofa|on the chair|behind the door|in the drawer|"
    "on the shelf|in my bag|by the window|in the car|near the fire|at home|upstairs|downstairs|outside|inside|here|"
    "over there|in front of the house",
    "adverb": "slowly|quickly|quietly|carefully|again|now|please|together|alone|first|once more|all day|right now",
    "activity": "go for a walk|watch a film|listen to music|read a book|play cards|have a rest|go to bed|take a bath|"
    "have a shower|eat breakfast|eat lunch|have dinner|drink something|write a letter|call a taxi|do the washing|"
    "clean the room|water the plants|feed the cat|walk the dog|bake a cake|cook dinner|buy some flowers|paint|"
    "draw a picture|sing a song|learn english|ride a bike|go swimming|visit the museum|sit outside|get dressed|"
    "wash my hands|brush my teeth|take my medicine|play the piano|plant some seeds|send a message|take a photo|"
    "go shopping|dance|work in the garden|stay at home|talk to someone|rest a little|stretch my legs",
}

TEMPLATES: list[str] = [
    "i would like {drink} please", "can i have {drink}", "please give me {food}", "i want some {food}",
    "could you bring me my {thing}", "where is my {thing}", "i can not find my {thing}", "my {thing} is {where}",
    "put the {thing} {where}", "please turn on the {device}", "turn off the {device}", "the {device} is too loud",
    "the {device} in the {room} is broken", "turn the {device} down {adverb}", "please open the {opening}",
    "close the {opening} please", "can you open the {opening} for me", "who is at the {opening}",
    "i want to {activity}", "i would like to {activity} {time}", "let us {activity} {time}",
    "do you want to {activity}", "i need help to {activity}", "we can {activity} {adverb}", "please call {person}",
    "call {person} {time}", "tell {person} that i am {feeling}", "when is {person} coming",
    "{person} is coming {time}", "{person} is {feeling} {time}", "where is {person}", "i miss {person}",
    "say hello to {person}", "thank you for the {thing}", "my {body} hurts", "i have a pain in my {body}",
    "my {body} feels {feeling}", "please move my {body} {adverb}", "i feel {feeling} {time}", "i am very {feeling}",
    "are you {feeling}", "i am not {feeling} any more", "it is {weather} {time}", "will it be {weather} {time}",
    "the weather is {weather}", "take me to the {place}", "i want to go to the {place} {time}",
    "how far is the {place}", "is the {place} open {time}", "we met {person} at the {place}",
    "the bus to the {place} leaves at {number}", "it costs {number} pounds",
    "the number is {number} {number} {number}", "i need {number} minutes", "wake me up at {number}",
    "remind me at {number} to {activity}", "my birthday is in {month}", "we will see you in {month}",
    "the appointment is in {month}", "i am {number} years old", "the {colour} {thing} is {where}",
    "i like the {colour} {thing}", "give me the {size} {thing}", "this {thing} is too {size}",
    "there is a {size} {animal} {where}", "the {animal} is in the {room}",
    "i saw a {colour} {animal} at the {place}", "yes please", "no thank you", "good morning {person}", "good night",
    "how are you {time}", "see you {time}", "i do not understand", "please speak {adverb}",
    "can you help me {adverb}", "wait a moment please", "that is enough", "i am finished", "what time is it",
    "what day is it {time}", "leave me alone please", "i love you very much", "that was very kind of you",
    "i am sorry", "never mind", "could you repeat that", "please write it down", "the {room} is {size}",
    "go to the {room} {adverb}", "i left my {thing} in the {room}", "bring {food} and {drink}",
    "i had {food} for breakfast", "is there any {food} left", "do not forget the {food}", "i am allergic to {food}",
    "we need {food} and {food}", "my {thing} and my {thing} are {where}", "play some music in the {room}",
    "set the {device} to {number}", "is the {device} on", "lock the front door", "stop the {device} now",
    "send {person} a message", "read the message from {person}", "what did {person} say", "i will be there {time}",
    "{person} has a {colour} {thing}", "the {animal} wants {food}", "push the wheelchair {adverb}",
]  # fmt: skip

_SLOT = re.compile(r"\{(\w+)\}")


def sentence(rng: random.Random) -> str:
    """A template with its slots filled; never two runs of the same word."""
    template = rng.choice(TEMPLATES)
    return _SLOT.sub(lambda slot: rng.choice(_choices(slot[1])), template)


def word_string(rng: random.Random) -> str:
    """Two to six unrelated words of the vocabulary."""
    return " ".join(rng.choice(vocabulary()) for _ in range(rng.randint(2, 6)))


def is_word_string(text: str) -> bool:
    """Whether ``text`` is what :func:`word_string` makes and no sentence: short, and of no template."""
    return len(text.split()) <= 6 and not any(pattern.fullmatch(text) for pattern in _patterns())


@cache
def _patterns() -> list[re.Pattern[str]]:
    return [re.compile(_SLOT.sub(lambda slot: f"(?:{SLOTS[slot[1]]})", template)) for template in TEMPLATES]


@cache
def _choices(slot: str) -> list[str]:
    return SLOTS[slot].split("|")


@cache
def vocabulary() -> list[str]:
    """Every word the built-in model was taught, sorted."""
    text = " ".join(SLOTS.values()).replace("|", " ") + " " + _SLOT.sub(" ", " ".join(TEMPLATES))
    return sorted(set(text.split()))


def held_out(phrase: str) -> bool:
    """Whether a phrase is kept for testing: never spoken to the model by any voice.

    One phrase in twelve, by a hash of its words, so that the choice needs no list and never changes.
    """
    import zlib

    return zlib.crc32(phrase.encode()) % 12 == 0
