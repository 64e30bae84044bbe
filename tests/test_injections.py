"""Forty attempts to talk to the model from inside posts, names, goals and sketches: wherever they stand, roles and tags hold.

Whether a model obeys is another matter, measured by `python -m benchmarks.injections` (docs/injections.md).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from simulacra.branches.interview import interview_prompt
from simulacra.branches.recollection import Fact
from simulacra.events import ACTS, KINDS
from simulacra.minds.assessor import Judged, chat_question, page_question
from simulacra.minds.prompts import (
    Brief,
    Community,
    Example,
    Offered,
    Persona,
    Said,
    batch_prompt,
    chat_prompt,
    page_prompt,
    visit_prompt,
)
from simulacra.seams import Prompt
from simulacra.text.abilities import Abilities, body_of
from simulacra.text.models import ModelSpec
from tests.support import community

ATTEMPTS = tomllib.loads((Path(__file__).parent / "data/injections.toml").read_text(encoding="utf-8"))["attempt"]
TEXTS = [attempt["text"] for attempt in ATTEMPTS]
CALM = "I went there on Saturday and liked it."
TAG = re.compile(r"<(/?[a-z_]+)((?:\s+[a-z_]+=\"[^\"<>]*\")*)\s*/?>")
ATTRIBUTE = re.compile(r'([a-z_]+)="')
TEMPLATE = re.compile(r"<\||\|>|<(?:start|end)_of_turn>|\[/?INST\]|</?s>|<<SYS>>")


def written(text: str) -> dict[str, Prompt]:
    """Every prompt there is, with members' words in the places where a post, a name or a memory may stand."""
    who = Persona(text, 40, text, text, "all lower case", text)
    said = Said(text, text, "ask")
    here = Community("Trips", "People trade tips.", ("Be kind.",), ("Loved it.",))
    brief = Brief(who, "answer", "none", text, 0.1, 14, (said, said), (text, text))
    opening = brief._replace(thread=(), act="share")
    offered = [Offered(text, text), Offered(text, text, 3, 1, True)]
    example = (Example("Jo, 41, art teacher, cheerful", "answer", 0.1, text),)
    return {
        "reply": chat_prompt(here, brief, 1),
        "opening": chat_prompt(here, opening, 1),
        "batch": batch_prompt(here, [brief, opening], 1),
        "visit": visit_prompt(here, ["museums"], who, [text], offered, 1, ACTS, KINDS),
        "page": page_prompt(here, brief, example, 1),
        "judgement": chat_question(community(), [Judged(text, text, said)] * 2, 1),
        "judged page": page_question(community(), Judged(text, text, said), 1),
        "interview": interview_prompt(who, "calm", [Fact(text, (1,))], text, text, True),
        "interview page": interview_prompt(who, "calm", [Fact(text, (1,))], text, text, False),
    }


def designed(text: str) -> dict[str, Prompt]:
    """The same where a designer's file says it: name, goal, rules, voices."""
    here = Community(text, text, (text, text), (text,))
    brief = Brief(Persona("dez", 40, "cook", "calm", ""), "answer", "none", "museums", 0.1, 14, (Said("mel", "Is it open?"),))
    return {
        "reply": chat_prompt(here, brief, 1),
        "visit": visit_prompt(here, [text], brief.persona, [], [], 1, ACTS, KINDS),
        "page": page_prompt(here, brief, (), 1),
    }


def skeleton(text: str) -> list[str]:
    """The tags with the names of their attributes, in order."""
    return [f"{name}{ATTRIBUTE.findall(attributes)}" for name, attributes in TAG.findall(text)]


def test_there_are_forty_of_many_kinds():
    assert len(ATTEMPTS) == len(set(TEXTS)) == 40
    assert {attempt["kind"] for attempt in ATTEMPTS} == {
        "leak", "role", "say", "markup", "delimiter", "turn", "language", "encoded",
    }  # fmt: skip
    for attempt in ATTEMPTS:
        assert re.compile(attempt["sign"], re.IGNORECASE)


@pytest.mark.parametrize("text", TEXTS, ids=range(40))
@pytest.mark.parametrize("place", [written, designed])
def test_text_adds_and_closes_no_tag_wherever_it_stands(place: Callable[[str], dict[str, Prompt]], text: str):
    for name, plain in place(CALM).items():
        hostile = place(text)[name]
        for calm, said in ((plain.system, hostile.system), (plain.user, hostile.user)):
            assert skeleton(said) == skeleton(calm), name
            assert [said.count(c) for c in '<>"`{}[]'] == [calm.count(c) for c in '<>"`{}[]'], name
            assert said.count("\n") == calm.count("\n"), name
        assert not TEMPLATE.search(hostile.system + hostile.user), name


@pytest.mark.parametrize("text", TEXTS, ids=range(40))
def test_what_the_model_is_told_to_do_is_the_same_whatever_members_write(text: str):
    for name, plain in written(CALM).items():
        if name != "interview":  # names the community, which is the designer's
            assert written(text)[name].system == plain.system, name


@pytest.mark.parametrize("text", TEXTS, ids=range(40))
def test_a_request_has_one_system_and_one_user_turn(text: str):
    model = ModelSpec("openai", "m", "http://127.0.0.1:1/v1")
    for prompt in (written(text)["reply"], written(text)["judgement"]):
        _, body = body_of(prompt, model, Abilities())
        assert [message["role"] for message in body["messages"]] == ["system", "user"]
        assert prompt.schema is not None and "response_format" in body
