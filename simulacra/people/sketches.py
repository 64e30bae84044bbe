"""Reading a designer's one-line sketch: what its words say about age, sex, work, temper, writing habits and stance.

A sketch is comma-separated traits in plain English ("art teacher, 41, loves museums, cheerful, writes in full sentences"). What
a sketch does not say stays open, and the population draws it. The word lists are our own; the sizes of the shifts are
assumptions (about half to one standard deviation: visible in a few dozen descendants, not a uniform).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulacra.people.lists import occupations, people

TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
"""The Big Five, in the order of every array that holds all five."""

# cluster -> (words, shifts). Big Five, irritability, compliance, susceptibility, activity in SD units; baseline in valence.
_TEMPERS: Mapping[str, tuple[str, dict[str, float]]] = {
    "cheerful": (
        "cheerful cheery upbeat sunny optimistic optimist bubbly jolly happy enthusiastic excitable hopeful positive joyful "
        "grateful sugary merry good-humoured good-humored",
        {"extraversion": 0.5, "neuroticism": -0.5, "agreeableness": 0.3, "baseline": 0.22, "irritability": -0.5},
    ),
    "warm": (
        "warm kind kindly gentle friendly supportive caring generous welcoming encouraging helpful sweet motherly fatherly "
        "compassionate soft-spoken affectionate decent tender tender-hearted loving",
        {"agreeableness": 0.9, "baseline": 0.1, "irritability": -0.6, "compliance": 0.3},
    ),
    "calm": (
        "patient calm even-tempered level-headed easygoing easy-going relaxed laid-back unflappable steady serene placid "
        "unhurried tolerant mellow diplomatic composed",
        {"neuroticism": -0.8, "agreeableness": 0.4, "irritability": -0.9, "baseline": 0.05},
    ),
    "grumpy": (
        "grumpy cranky gruff crabby curmudgeon cynical cynic bitter gloomy pessimistic pessimist sour crotchety moody "
        "complains grumbles resentful disillusioned jaded fed-up moans complainer",
        {"agreeableness": -0.7, "neuroticism": 0.5, "baseline": -0.22, "irritability": 0.8},
    ),
    "hot": (
        "short-tempered hot-tempered hot-headed hothead irritable impatient angry furious touchy explosive bad-tempered "
        "quick-tempered hostile abrasive rude thin-skinned prickly swears easily-offended",
        {"agreeableness": -0.8, "neuroticism": 0.6, "baseline": -0.12, "irritability": 1.3, "compliance": -0.5},
    ),
    "anxious": (
        "anxious worried nervous worrier insecure timid overwhelmed fretful jittery fearful panicky stressed tense frets "
        "worries hesitant self-conscious unsure",
        {"neuroticism": 1.0, "baseline": -0.1, "susceptibility": 0.5, "compliance": 0.2},
    ),
    "tired": (
        "tired exhausted weary worn-out burned-out burnt-out sleepless sleep-deprived frazzled drained",
        {"neuroticism": 0.5, "extraversion": -0.3, "baseline": -0.12, "irritability": 0.3},
    ),
    "sad": (
        "sad lonely grieving depressed melancholic melancholy mourning heartbroken discouraged isolated",
        {"neuroticism": 0.8, "extraversion": -0.5, "baseline": -0.22, "susceptibility": 0.3},
    ),
    "sarcastic": (
        "sarcastic sardonic snarky wry ironic dry deadpan acerbic mocking caustic teasing",
        {"openness": 0.4, "agreeableness": -0.6, "irritability": 0.4, "baseline": -0.05},
    ),
    "blunt": (
        "blunt direct frank outspoken no-nonsense tactless plain-spoken brusque curt matter-of-fact",
        {"agreeableness": -0.5, "extraversion": 0.3, "irritability": 0.3},
    ),
    "contrarian": (
        "contrarian argumentative combative provocateur troll stubborn opinionated devil's-advocate quarrelsome pushy "
        "confrontational debater skeptical sceptical skeptic sceptic suspicious",
        {"agreeableness": -0.9, "irritability": 0.5, "compliance": -0.5, "extraversion": 0.2},
    ),
    "superior": (
        "condescending know-all know-it-all smug arrogant pedantic pedant patronising patronizing snob snobbish bossy boastful "
        "elitist gatekeeper gatekeeping preachy lectures",
        {"agreeableness": -0.8, "extraversion": 0.3, "conscientiousness": 0.3, "irritability": 0.4},
    ),
    "shy": (
        "shy quiet reserved introvert introverted private withdrawn lurker lurks bashful withdrawn",
        {"extraversion": -1.0, "activity": -0.2},
    ),
    "outgoing": (
        "outgoing chatty talkative sociable extrovert extroverted gregarious social lively gossipy gossip bouncy",
        {"extraversion": 1.0, "activity": 0.2},
    ),
    "curious": (
        "curious inventive creative imaginative dreamer dreamy open-minded adventurous playful artistic nerdy geeky eager",
        {"openness": 0.9, "baseline": 0.04},
    ),
    "careful": (
        "careful organised organized meticulous thorough precise methodical disciplined planner fair-minded practical "
        "responsible dutiful perfectionist frugal thrifty conscientious orderly fair thoughtful",
        {"conscientiousness": 0.9, "compliance": 0.4},
    ),
    "messy": (
        "messy chaotic disorganised disorganized forgetful scatterbrained impulsive reckless careless sloppy flaky lazy",
        {"conscientiousness": -1.0, "compliance": -0.3},
    ),
    "funny": (
        "joker funny witty humorous jokes goofy silly self-mocking prankster clown comedian punny",
        {"extraversion": 0.5, "openness": 0.3, "baseline": 0.06},
    ),
    "selling": (
        "sells promotes advertises self-promoter pitches plugs hustler influencer salesy promoting selling plugging",
        {"extraversion": 0.4, "compliance": -1.2, "agreeableness": -0.2},
    ),
    "lawful": (
        "rule-follower law-abiding conformist polite well-mannered courteous respectful obedient proper",
        {"compliance": 1.0, "agreeableness": 0.5},
    ),
    "busy": ("prolific always-online hyperactive posts-constantly regular daily", {"activity": 0.7}),
    "rare": ("rarely seldom occasionally infrequent", {"activity": -0.7}),
}  # fmt: skip

# (pattern, style -> level in [0, 1]); later rows win, so that "never uses emoji" beats "emoji"
_HABITS: tuple[tuple[str, dict[str, float]], ...] = (
    (r"full sentences|complete sentences|proper sentences", {"verbosity": 0.6, "capitals": 0.5, "punctuation": 0.5}),
    (r"correct commas|good grammar|perfect grammar|careful punctuation", {"capitals": 0.5, "punctuation": 0.5}),
    (r"long (?:paragraphs|posts|answers|replies|messages|stories|sentences)|long-winded|rambl\w+|essays|walls? of text|"
     r"wordy|numbered points|detailed|explainer|storyteller", {"verbosity": 0.85}),
    (r"short(?: \S+)? (?:bursts|sentences|posts|lines|messages|replies)|\bterse|one-liners?|few words|laconic|clipped|"
     r"\bbrief|plain short", {"verbosity": 0.14}),
    (r"capital letters", {"capitals": 0.8}),
    (r"lower-?\s?case|no capitals|never (?:uses )?capital\w*|without capitals|no caps\b", {"capitals": 0.02}),
    (r"lower-?\s?case bursts|no punctuation|without punctuation|never punctuates", {"punctuation": 0.15}),
    (r"\bCAPITALS\b|\bCAPS\b|all[- ]caps|shouts|in capitals when", {"capitals": 0.9}),
    (r"exclamation", {"punctuation": 0.92}),
    (r"ellips[ie]s|dots|trails off|\.\.\.", {"punctuation": 0.78}),
    (r"emojis?|smileys?|emoticons?|hearts", {"emoji": 0.55}),
    (r"(?:occasional|the odd|an|one|rare|single|few) (?:emojis?|smileys?)", {"emoji": 0.25}),
    (r"(?:no|never uses|without|hates) (?:emojis?|smileys?)", {"emoji": 0.0}),
)  # fmt: skip

_LEFT = (
    r"wants? change|progressive|liberal|left-wing|leftist|socialist|activist|democrat|reformer|feminist|union (?:man|woman|"
    r"organi[sz]er|member|steward)|environmentalist|climate|renter|tenant|cyclist|newcomer|moved here|pro-\w+|modern\w*|"
    r"early adopter|believes in trying"
)
_RIGHT = (
    r"left alone|conservative|traditional\w*|right-wing|republican|libertarian|old[- ]school|law and order|landlord|"
    r"homeowner|against change|hates change|the old (?:ways?|days)|as it was|keeps? things|anti-\w+|purist|born and raised|"
    r"lifelong resident|nothing (?:should|to) change"
)
_FEMALE = r"\b(?:she|her|woman|mothers?|mom|mum|mommy|grandmother|grandma|wife|widow|daughter|girl|lady|waitress|actress|nun)\b"
_MALE = r"\b(?:he|his|man|fathers?|dad|daddy|grandfather|grandpa|husband|widower|son|guy|boy|gentleman|waiter)\b"

_AGE_ALONE = re.compile(
    r"^(?:aged? |about |around |turning |just turned |almost |nearly |now )?(\d{2})"
    r"(?:[- ]years?[- ]old| ?yo|(?: and| or| to|-) ?\d\d)?$"
)
_AGE_INSIDE = re.compile(r"\b(?:aged? )?(\d{2})[- ]years?[- ]old\b|\baged? (\d{2})\b|\b(\d{2}) ?yo\b")
_AGE_DECADE = re.compile(r"\b(early|mid|late)?[- ]?(?:(\d)0s|(twenties|thirties|forties|fifties|sixties|seventies|eighties))\b")
_DECADES = {"twenties": 2, "thirties": 3, "forties": 4, "fifties": 5, "sixties": 6, "seventies": 7, "eighties": 8}
_AGE_STATIONS = ((r"\bretired\b|\bretiree\b|grand(?:mother|father|ma|pa)\b", 67), (r"\bteen\w*\b|high[- ]school student", 18),
                 (r"\bstudent\b|undergrad", 21))  # fmt: skip
_WRITING = re.compile(
    r"\b(?:writes?|types?|posts? (?:in|with|long|short)|texts|sentences|bursts|paragraphs|capitals?|caps|emojis?|smileys?|"
    r"exclamation|punctuation|one-liners?|grammar|spelling|typos|numbered points|lower-?case)\b", re.I
)  # fmt: skip
_NEGATION = re.compile(r"\b(?:not|never|isn't|hardly|without|rarely|no longer|anything but)\b[^,]*$")
_STRONG = re.compile(r"\b(?:very|relentlessly|extremely|always|deeply|incredibly|really|endlessly|constantly)\s+(?:\w+\s)?$")
_WEAK = re.compile(r"\b(?:a bit|a little|slightly|somewhat|sometimes|mildly|occasionally|quietly)\s+(?:\w+\s)?$")
_CLAUSE = re.compile(r"\s+(?:who|with|from|in|at|of|for|on|by|that|turned|far|away|now|near|to|after|between|during)\s+|\(")
_NO_WORK = frozenset(
    ("divorced", "single", "married", "widowed", "young", "old", "new", "busy", "local", "proud", "first-time")
)
_NOT_A_JOB = re.compile(
    r"\b(?:hobby|amateur|renter|tenant|neighbou?r|newcomer|visitor|fan|(?:grand)?(?:mother|father|parent|ma|pa|dad|mom)|mum|"
    r"person|someone|somebody|resident|homeowner|tourist|patient|member|holder|lives?|living|beginner|wants?|loves?|likes?|"
    r"knows?|hates?|never|not)s?\b",
    re.I,
)
_TEMPERED = frozenset(word for words, _ in _TEMPERS.values() for word in words.split()) - {
    "social",
    "private",
    "dry",
    "regular",
}
"""Words for tempers that do not begin the name of an occupation, as "social worker" does."""
_ARTICLE = re.compile(r"^(?:an?|the|our|my|one of the)\s+", re.I)


@dataclass(frozen=True)
class Reading:
    """What one sketch says. None or absent: it does not say."""

    parts: tuple[str, ...]
    work: str  # the occupation as written, one to three words; "" where none is given
    age: int | None = None  # years, 18 to 90
    sex: str = ""  # Female, Male
    lean: float | None = None  # stance: -1 keeps things as they are, 1 wants change
    shifts: Mapping[str, float] = field(default_factory=dict)  # of traits, see _TEMPERS
    style: Mapping[str, float] = field(default_factory=dict)  # verbosity, punctuation, emoji, capitals in [0, 1]
    tempers: tuple[str, ...] = ()  # names of the temper clusters found
    subject: str = ""  # the parts that say what the person cares about, for comparison with topics


def read_sketch(sketch: str) -> Reading:
    """What the words of a sketch say; any text is fine, a text that says nothing gives an empty reading.

    A name that a sketch begins with ("Marta, a retired forester", "Lin, 34, nurse", "Mia (27), barista") says only what sex it is
    usually of: those who resemble the sketch have names of their own.
    """
    whole, (name, sketch) = sketch, _without_name(sketch)
    sketch = re.sub(r"^((?:an?|the) [^,;.]+?) who ", r"\1, ", sketch, count=1)  # "a teacher who loves bees"
    parts = tuple(p for p in (p.strip(" .;") for p in re.split(r"[,;]|\s[–—-]\s|\.\s", sketch)) if p)
    shifts, tempers = _temper(sketch)
    return Reading(
        parts=parts,
        work=_work(parts),
        age=_age(parts, sketch),
        sex=_sex(whole) or _sex_of(name),
        lean=_lean(sketch),
        shifts=shifts,
        style=_style(sketch),
        tempers=tempers,
        subject=", ".join(subject_parts(parts)) or sketch,
    )


def _without_name(sketch: str) -> tuple[str, str]:
    """(the name that a sketch begins with or "", the rest of it)."""
    known = occupations()
    for pattern in _NAMES:
        named = pattern.match(sketch)
        if named and known.field_of(named[1]) < 0:
            rest = sketch[named.end() :]
            return named[1], f"{rest}, {named['age']}" if named["age"] else rest
    named = _NAME_AND_AGE.match(sketch)
    if named and known.field_of(named[1]) < 0:
        age, _, work = sketch[named.end() :].partition(",")
        if known.field_of(work.partition(",")[0]) >= 0:
            return named[1], f"{work}, {age}"
        if _sexes(named[1]):  # "Beekeeper, 51, gruff": a capital alone makes no name
            return named[1], sketch[named.end() :]
    return "", sketch


def _sex_of(name: str) -> str:
    """Female or Male where the first name is known as one of that sex only, "" otherwise."""
    return found[0].title() if len(found := _sexes(name)) == 1 else ""


def _sexes(name: str) -> list[str]:
    """Those that the first of the words is a known first name of."""
    first = name.split()[0].lower() if name else ""
    return [sex for sex in ("female", "male") if first in people()["handles"][sex].split()]


_NAME = r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\b\.? )?([A-ZÀ-Þ][^\W\d_]*(?:[ '’-][A-ZÀ-Þ][\w'’]*\.?){0,3})(?: ?\((?P<age>\d\d)\))?"
_NAME_AND_AGE = re.compile(rf"{_NAME}, (?=(?:aged? )?\d\d\b)")  # "Lin, 34, nurse"
_NAMES = (
    re.compile(rf"{_NAME}(?:,| is| was|:| [–—-]) (?=(?:an?|the|our|my|one of the) )"),  # "Marta, a retired forester"
    re.compile(rf"{_NAME}(?<=\)),? (?:is )?"),  # "Mia (27), barista"
)


def subject_parts(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The parts that may name an interest: neither age nor temper alone nor a writing habit."""
    return tuple(p for p in parts if not (_AGE_ALONE.match(p.lower()) or _WRITING.search(p) or _is_temper(p)))


def _is_temper(part: str) -> bool:
    words = part.lower().split()
    return len(words) <= 3 and bool(_temper(part)[1])


def _temper(sketch: str) -> tuple[dict[str, float], tuple[str, ...]]:
    """Shifts of all temper words found; several words of one cluster count once."""
    low = re.sub(r"short temper\b", "short-tempered", re.sub(r"(?:hot|bad) temper\b", "hot-tempered", sketch.lower()))
    shifts: dict[str, float] = {}
    found = []
    for name, (words, moves) in _TEMPERS.items():
        strength = max((_strength(low, word) for word in words.split()), default=0.0)
        if strength:
            found.append(name)
            for trait, by in moves.items():
                shifts[trait] = shifts.get(trait, 0.0) + by * strength
    return shifts, tuple(found)


def _strength(low: str, word: str) -> float:
    """How strongly a text says a word: 0 absent or negated, else .6, 1 or 1.3."""
    spelling = word.replace("-", "[- ]")
    at = re.search(rf"(?<![\w-]){spelling}(?![\w-])", low)
    if not at:
        return 0.0
    before = low[: at.start()]
    if _NEGATION.search(before):
        return 0.0
    return 1.3 if _STRONG.search(before) else 0.6 if _WEAK.search(before) else 1.0


def _style(sketch: str) -> dict[str, float]:
    style: dict[str, float] = {}
    for pattern, levels in _HABITS:
        flags = 0 if "CAP" in pattern else re.I  # capitals speak for themselves
        if re.search(pattern, sketch, flags):
            style.update(levels)
    return style


def _age(parts: tuple[str, ...], sketch: str) -> int | None:
    for part in parts:
        alone = _AGE_ALONE.match(part.lower())
        if alone and 13 <= int(alone[1]) <= 99:
            return _adult(int(alone[1]))
    low = sketch.lower()
    inside = _AGE_INSIDE.search(low)
    if inside:
        return _adult(int(next(g for g in inside.groups() if g)))
    decade = _AGE_DECADE.search(low)
    if decade:
        tens = int(decade[2]) if decade[2] else _DECADES[decade[3]]
        return _adult(10 * tens + {"early": 2, "late": 8}.get(decade[1] or "", 5))
    return next((age for pattern, age in _AGE_STATIONS if re.search(pattern, low)), None)


def _adult(age: int) -> int:
    return min(max(age, 18), 90)


def _sex(sketch: str) -> str:
    female, male = (len(re.findall(p, sketch, re.I)) for p in (_FEMALE, _MALE))
    return "" if female == male else "Female" if female > male else "Male"


def _lean(sketch: str) -> float | None:
    left, right = (len(re.findall(rf"(?<![\w-])(?:{p})(?![\w-])", sketch, re.I)) for p in (_LEFT, _RIGHT))
    return None if left == right == 0 else (left - right) / (left + right)


def _work(parts: tuple[str, ...]) -> str:
    """The occupation: what the first part says one is, else the first later part that names a known occupation; "" if none."""
    first = _pieces(parts[0]) if parts else []
    known = (p for part in parts[1:] for p in _pieces(part) if occupations().field_of(p) >= 0)
    return next((p for p in first if p), "") or next(known, "")


def _pieces(part: str) -> list[str]:
    """What a part says one is, piece by piece ("chef and father"), "" for pieces that are no occupation."""
    owner = re.match(r"owner of (?:an? |the )?(.+)", part, re.I)
    if owner:
        return [_short(" ".join(owner[1].split()[-2:]) + " owner")]
    does = re.match(r"[a-z]+[^s']s\s", part)  # "sells candles": what one does, not what one is
    is_known = occupations().field_of(part) >= 0
    if re.search(r"\d", part) or _WRITING.search(part) or ((does or _is_temper(part)) and not is_known):
        return []
    return [_short(p) for p in re.split(r"\s+and\s+|/|\s+&\s+", _ARTICLE.sub("", part))]


def _short(piece: str) -> str:
    """The piece up to its first preposition or clause, less words that are no part of an occupation; "" if none is left."""
    if (_NOT_A_JOB.search(piece) or piece.startswith(("is ", "says "))) and "stay-at-home" not in piece:
        return ""
    words = [w for w in _CLAUSE.split(piece, maxsplit=1)[0].split() if w.lower() not in _NO_WORK]
    while len(words) > 1 and words[0].lower() in _TEMPERED:
        words = words[1:]  # "an ENTHUSIASTIC chef"
    return " ".join(words[-4:])[:40].strip()
