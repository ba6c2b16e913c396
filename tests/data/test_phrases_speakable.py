"""What of other people's speech is fit to be read aloud, in the 25 languages of Granary."""

from __future__ import annotations

import pytest

from ownvoice.data.phrases.granary import LANGUAGES
from ownvoice.data.phrases.speakable import fault_of

FIT = {
    "bg": "Утре ще отидем на пазар.",
    "cs": "Zítra půjdeme spolu na trh.",
    "da": "Vi skal ud at gå i morgen.",
    "de": "Morgen gehen wir zusammen auf den Markt.",
    "el": "Θα πάμε μαζί στην αγορά;",
    "en": "I think we'll go to the market.",
    "es": "¿Vamos mañana juntos al mercado?",
    "et": "Homme läheme koos turule.",
    "fi": "Huomenna menemme yhdessä torille.",
    "fr": "Est-ce qu'on va au marché demain ?",
    "hr": "Sutra idemo zajedno na tržnicu.",
    "hu": "Holnap együtt megyünk a piacra.",
    "it": "Domani andiamo insieme al mercato.",
    "lt": "Rytoj kartu eisime į turgų.",
    "lv": "Rīt mēs kopā iesim uz tirgu.",
    "mt": "Għada mmorru flimkien fis-suq.",
    "nl": "Morgen gaan we samen naar de markt.",
    "pl": "Jutro pójdziemy razem na targ.",
    "pt": "Amanhã vamos juntos ao mercado.",
    "ro": "Mâine mergem împreună la piață.",
    "ru": "Завтра мы пойдём вместе на рынок.",
    "sk": "Zajtra pôjdeme spolu na trh.",
    "sl": "Jutri gremo skupaj na tržnico.",
    "sv": "Vi går till torget i morgon.",
    "uk": "Завтра ми підемо разом на ринок.",
}

UNFIT = [
    ("Yes please.", "en", "length"),
    ("We went there and we saw it and then we came back home again late.", "en", "length"),
    ("It costs 5 pounds a day.", "en", "numbers"),
    ("It costs ½ of that today.", "en", "numbers"),
    ("They cheered (applause) for hours.", "en", "characters"),
    ("See you at the рынок tomorrow.", "en", "characters"),
    ("Мы встретимся около market завтра.", "ru", "characters"),
    ("I gave it to Peter yesterday.", "en", "names"),
    ("Er arbeitet seit Jahren beim NDR.", "de", "names"),
    ("That was a fucking good day.", "en", "profanity"),
    ("Das war ein Scheiß heute früh.", "de", "profanity"),
    ("Това е пълно лайно според мен.", "bg", "profanity"),
    ("and so we went home early.", "en", "sentence"),
    ("So we went home early", "en", "sentence"),
    ("So, um, we went home.", "en", "sentence"),
    ("We we went home early.", "en", "sentence"),
    ("Wir gingen heim. Es war spät.", "de", "sentence"),
    ("She said: let us go home.", "en", "sentence"),
]


def test_an_everyday_sentence_passes_in_every_language() -> None:
    assert set(FIT) == LANGUAGES
    assert {language: fault for language, text in FIT.items() if (fault := fault_of(text, language))} == {}


@pytest.mark.parametrize(("text", "language", "fault"), UNFIT)
def test_what_is_hard_or_unpleasant_to_read_is_left_out(text: str, language: str, fault: str) -> None:
    assert fault_of(text, language) == fault
