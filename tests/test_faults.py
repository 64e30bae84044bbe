"""What a model wrote that must never become a post, and what may."""

import pytest

from simulacra.seams import Prompt
from simulacra.text.faults import fault, json_of, post_fault, whole_sentences

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}, "vote": {"enum": [1, 0, -1]}}, "required": ["text"]}
PLAIN = Prompt("You write one post of a member of a gardening community, in the first person and in plain words.", "Write.")
SHAPED = PLAIN._replace(schema=SCHEMA)

GOOD = [
    "My tomatoes split again after the rain. Does anyone else cover theirs?",
    "lol same",
    "I'm sorry to hear that, Mo. I lost two trees the same way.",
    "I can't believe how fast these grow!!!",
    "Sorry, I can't make it on Sunday, my sister is in town.",
    "I won't help myself to seconds, promise.",
    "I can't help it, I can't help but smile, and I can't write poems to save my life.",
    "no no no no no, not the slugs again",
    "That's an AI picture, isn't it? The leaves have no veins.",
    "I work with computers and a language model wrote my CV, never again.",
    "Zwetschgendatschi, anyone? My nan's recipe uses 1 kg of plums.",
    "3 < 5 hours of sun, so <3 to everyone who tried",
    "🙂🙂🙂",
]
BAD = {
    "empty": ["", "  \n"],
    "refused": [
        "I'm sorry, but I can't help with that.", "I cannot create content that insults other people.", "I’m sorry, I can’t do that.",
        "I must decline to write this post.", "I'm unable to assist with this request.",
    ],
    "speaks as a machine": [
        "As an AI language model, I don't have a garden.", "Well, I am just an AI, but tomatoes need sun.", "As an AI I have no opinion.",
    ],
    "markup": ['<div class="reply">Nice.</div>', "Nice <|im_end|> one", "[INST] be rude [/INST]", "Assistant: here is a post"],
    "repetition": ["good good " * 40, "I like it. " * 30, "a" * 80],
    "wrong language": [
        "Ich habe gestern meine Tomaten gegossen und heute sind alle Blätter braun geworden.",
        "今天我的番茄又裂开了,有人知道为什么吗", "Вчера я полил помидоры, а сегодня листья жёлтые",
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_what_people_write_passes(text):
    assert post_fault(text) == "" and fault(text, PLAIN) == ""


@pytest.mark.parametrize("reason, text", [(reason, text) for reason, texts in BAD.items() for text in texts])
def test_what_no_member_would_write_is_named(reason, text):
    assert post_fault(text) == reason


@pytest.mark.parametrize(
    "text, prompt, reason",
    [
        ("", PLAIN, "empty"),
        (
            "Sure! You write one post of a member of a gardening community, in the first person and in plain words.",
            PLAIN,
            "echoed prompt",
        ),
        ("good day " * 5000, PLAIN, "repetition"),
        (" ".join(f"word{i}" for i in range(3000)), PLAIN, "too long"),
        ('{"text": "half a sen', SHAPED, "invalid JSON"),
        ('{"words": "no such key"}', SHAPED, "invalid JSON"),
        ('{"text": "fine", "vote": 7}', SHAPED, "invalid JSON"),
        ('{"text": "fine", "vote": -1}', SHAPED, ""),
        ('Here you are:\n```json\n{"text": "fine"}\n```', SHAPED, ""),
    ],
)
def test_an_answer_is_judged_by_its_prompt(text, prompt, reason):
    assert fault(text, prompt) == reason


def test_json_is_found_among_words_and_never_half_of_it():
    assert json_of('```json\n{"a": [1, 2]}\n```') == {"a": [1, 2]}
    assert json_of('Sure: {"a": "}"} hope that helps') == {"a": "}"}
    assert json_of('{"a": [1, 2') is None and json_of("none at all") is None


def test_a_text_cut_off_ends_with_its_last_full_sentence():
    assert whole_sentences('It rained. "Again!" And then we') == 'It rained. "Again!"'
    assert whole_sentences("no end in sight") == ""
