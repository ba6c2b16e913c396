"""What tells the phrases of one language from another's: the letters it is written in and its commonest words.

Enough to catch a text in the wrong file, a foreign letter or a look-alike; the grammar is for people to judge.
"""

from __future__ import annotations

from dataclasses import dataclass

from ownvoice.data.split import fold_text

_LATIN = "abcdefghijklmnopqrstuvwxyz"
_DEVANAGARI = "".join(map(chr, range(0x0900, 0x0964))) + "".join(map(chr, range(0x0970, 0x0980)))


@dataclass(frozen=True)
class Language:
    """How phrases in one language are written and sounded."""

    voice: str
    """The voice of espeak-ng whose phones are stored."""
    letters: str
    """Every letter that may occur, in lower case."""
    marks: str
    """Punctuation that may occur."""
    endings: str
    """How a phrase may end."""
    common_words: frozenset[str]
    """Words of nearly every text, and of few texts in the other languages here; as ``fold_text`` writes them."""


def _western(voice: str, accented: str, words: str, more_marks: str = "") -> Language:
    return Language(voice, _LATIN + accented, " .,;:?!'-" + more_marks, ".?!", frozenset(fold_text(words).split()))


LANGUAGES = {
    "en": _western(
        "en-us",
        "é",
        "the a an i im id you my your is are was to of and in on it for with this that what when where how can could "
        "please have has do dont not will would we he she they at from there need want like me let's",
    ),
    "es": _western(
        "es",
        "áéíóúüñ",
        "el la los las un una yo mi mis tu su es está están de del y en por para con que qué cuándo dónde cómo puedes "
        "puede favor tengo tiene no me te se lo le hay hoy muy más quiero necesito al nos ya como",
        "¿¡",
    ),
    "fr": _western(
        "fr-fr",
        "àâæçéèêëîïôœùûüÿ",
        "le la les un une des je jai tu il elle nous vous mon ma mes est sont de du et en dans sur pour avec que qui "
        "quand où comment peux pouvez ne pas me te se ce cette il y a au aux cest sil plaît suis veux",
    ),
    "pt": _western(
        "pt-br",
        "áâãàçéêíóôõú",
        "o a os as um uma eu meu minha meus você ele ela é está são de do da dos das e em no na por para com que "
        "quando onde como pode posso favor tenho tem não me se ao à hoje muito mais quero preciso já isso",
    ),
    "hi": Language(
        "hi",
        _DEVANAGARI,
        " ।,;:?!-“”",
        "।?!",
        frozenset(
            fold_text(
                "मैं मुझे मेरा मेरी मेरे आप आपका है हैं हूँ था थी को का की के में से पर और यह वह क्या कब कहाँ कैसे नहीं "
                "एक दो कृपया ज़रा आज कल हो रहा रही रहे दीजिए चाहिए बहुत भी तो ने हम लिए ही जी कर"
            ).split()
        ),
    ),
    "de": _western(
        "de",
        "äöüßé",
        "der die das den dem ein eine einen ich du er sie wir ihr mein meine ist sind war zu und in im auf für mit was "
        "wann wo wie kannst können bitte habe hat nicht will möchte mich mir dich es am heute noch auch von nach",
    ),
    "nl": _western(
        "nl",
        "áéèëïöüó",
        "de het een ik je jij u hij zij we wij mijn is zijn was te en in op voor met dat dit wat wanneer waar hoe kan "
        "kun kunt alsjeblieft graag heb heeft niet wil me mij er aan van naar nog ook om vandaag deze",
    ),
    "it": _western(
        "it",
        "àèéìíîòóù",
        "il lo la i gli le un una uno io mio mia miei tu è sono di del della e in nel per con che cosa quando dove "
        "come puoi può favore ho ha non mi ti si ci al alla oggi molto più vorrei da sul questo questa a",
    ),
}
"""The languages that get a bank."""
