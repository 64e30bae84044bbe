"""News: how a designer writes it, how it spreads, and that it costs nothing where there is none."""

import re
from dataclasses import replace
from functools import cache

import pytest
from support import arm, community, past, played

from simulacra.community import community_from_dict, community_to_dict, community_to_toml, load_community, overlay
from simulacra.designs import Arm, differences, levers, make_arm
from simulacra.errors import CommunityError, SpecError
from simulacra.minds.data import news_bank
from simulacra.news import News, parse_news, read_news

PARTY = News("invitation", "A picnic in Schenley Park.", when=2 * 24 + 19)
RUMOUR = News("rumour", "The science museum will charge for parking from June")
FACT = News("fact", "the library opens on Sundays from now on")


@cache
def told(*news, personas=100, days=3, seed=1, behaviour=(), moderation=(), delay=12):
    design = arm("hot", moderation, dict(behaviour), {"label": {"reports": 1, "across": 0, "delay": delay}}, news)
    return played(design, days, personas, seed)


def table(sim, name, **kwargs):
    return sim.recorder.frames().table(name, **kwargs)


# -- what a designer writes ------------------------------------------------------------------------------------------------


def read(**entry):
    return read_news("x.toml", [entry], ("museums", "food"), ("Ines", ""))


def test_items_are_read_with_their_hours():
    (party,) = read(kind="invitation", words="A picnic.", host="Ines", topic="food", starts="day 1 8:00", when="Day 3, 19:00")
    assert party == News("invitation", "A picnic.", "food", "Ines", starts=8, when=67)
    assert party.inside == "a picnic" and party.title == "invitation: a picnic, day 3 at 7 pm"
    assert read(kind="rumour", words="x", knows=0.1)[0].starts == 9


@pytest.mark.parametrize(
    "entry,says",
    [
        ({"words": "x"}, "news[1] has no kind"),
        ({"kind": "gossip", "words": "x"}, "'gossip' is not known"),
        ({"kind": "rumour"}, "news[1] has no words"),
        ({"kind": "rumour", "words": " "}, "news[1].words is empty"),
        ({"kind": "invitation", "words": "tea"}, 'Add when = "day 3 19:00"'),
        ({"kind": "fact", "words": "tea", "when": "day 3"}, "a fact has no hour"),
        ({"kind": "invitation", "words": "tea", "when": "Tuesday"}, "expected a day and an hour"),
        ({"kind": "invitation", "words": "tea", "when": "day 0"}, "expected a day and an hour"),
        ({"kind": "invitation", "words": "tea", "when": "day 1 08:00"}, "nobody knows of it before day 1 09:00"),
        ({"kind": "invitation", "words": "tea", "when": "day 3", "knows": 3}, "one member invites"),
        ({"kind": "rumour", "words": "x", "topic": "tax"}, "news[1].topic: 'tax' is not known"),
        ({"kind": "rumour", "words": "x", "from": "Bo"}, "news[1].from: 'Bo' is not known"),
        ({"kind": "rumour", "words": "x", "knows": 0}, "news[1].knows"),
        ({"kind": "rumour", "words": "x", "who": 1}, "unknown key news[1].who"),
    ],
)
def test_items_that_cannot_be_are_named_in_one_line(entry, says):
    with pytest.raises(CommunityError) as error:
        read(**entry)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_news_survives_file_record_and_overlay(tmp_path):
    with_news = replace(community(), news=(PARTY, RUMOUR), voices={})
    file = tmp_path / "pittsburgh.toml"
    file.write_text(community_to_toml(with_news), encoding="utf-8")
    assert load_community(file).news == (PARTY, RUMOUR)
    assert community_from_dict(community_to_dict(with_news)).news == (PARTY, RUMOUR)
    assert overlay(with_news, {"news": []}).news == ()
    assert "news" not in community_to_dict(community())


def test_an_arm_can_add_news_and_drop_it():
    base = make_arm(community())
    design = make_arm(community(), 'news.add="rumour: the museum will close"')
    assert [item.words for item in design.news] == ["the museum will close"]
    assert differences(base, design) == ["news added: rumour: the museum will close"]
    assert levers(base, design) == {"news"} and "news" not in base.to_dict()
    assert Arm.from_dict(design.to_dict()) == design
    assert make_arm(replace(community(), news=(PARTY,)), "news=none").news == ()
    assert parse_news("invitation day 3 19:00: a picnic") == {"kind": "invitation", "words": "a picnic", "when": "day 3 19:00"}


@pytest.mark.parametrize("setting", ["news=some", "news.add=5", "news.add=nothing", "news.drop=1"])
def test_settings_of_news_that_cannot_be_are_refused(setting):
    with pytest.raises((SpecError, CommunityError)):
        make_arm(community(), setting)


def test_dates_are_said_as_people_say_them():
    assert [PARTY.date(step) for step in (0, 24, 48)] == ["on Wednesday at 7 pm", "tomorrow at 7 pm", "tonight at 7 pm"]
    assert replace(PARTY, when=48 + 12).date(48) == "today at noon"
    assert not PARTY.over(66) and PARTY.over(67) and not RUMOUR.over(10**6)


def test_a_text_speaks_of_an_item_when_it_holds_its_words():
    assert RUMOUR.says("They say the SCIENCE museum wants money for parking??")
    assert not RUMOUR.says("The parking here is a joke") and not RUMOUR.says("")


# -- how it spreads --------------------------------------------------------------------------------------------------------


def test_a_run_without_news_has_no_trace_of_it():
    sim = played(arm("hot"))
    assert sim.platform.hearsay is None and not any(k.startswith("news.") for k in sim.state())
    assert not len(table(sim, "mentions")) and not len(table(sim, "awareness"))


def test_news_that_nobody_speaks_of_changes_nothing_but_who_knew():
    silent = told(RUMOUR, behaviour=(("news_mention", "off"),), days=1)
    other = played(arm("hot", behaviour={"news_mention": "off"}), 1, 100)
    for name in ("posts", "visits", "impressions", "reactions", "moods"):
        assert table(silent, name).equals(table(other, name)), name


@pytest.mark.parametrize("off", [(("news_mention", "off"),), (("write", "off"),)])
def test_with_talk_switched_off_nobody_but_the_host_knows(off):
    sim = told(PARTY, behaviour=off)
    rows = table(sim, "awareness")
    assert rows.what.tolist() == ["knew", "came"] and rows.persona.nunique() == 1
    assert (sim.platform.hearsay.learnt[0] < 2**30).sum() == 1


def test_who_learns_has_read_a_post_that_speaks_of_it():
    sim = told(PARTY, RUMOUR)
    rows, mentions = table(sim, "awareness"), table(sim, "mentions").set_index("post")
    learnt = rows[rows.what == "learnt"]
    assert len(learnt) > 50
    seen = set(zip(*(table(sim, "impressions")[c] for c in ("step", "persona", "post")), strict=True))
    assert all(key in seen for key in zip(learnt.step, learnt.persona, learnt.post, strict=True))
    assert (mentions.item[learnt.post].to_numpy() == learnt.item.to_numpy()).all()
    assert not learnt.duplicated(["persona", "item"]).any()


TALKATIVE = (("visit_rate", 2), ("lurkers", "off"), ("write", 0.3))


def test_who_speaks_of_it_knew_it():
    sim = told(PARTY, RUMOUR, behaviour=TALKATIVE)
    rows = table(sim, "awareness")
    known = rows[rows.what.isin(["knew", "learnt"])].set_index(["persona", "item"]).step
    mentions = table(sim, "mentions")
    assert len(mentions) > 8
    assert all(known[(m.author, m.item)] <= m.step for m in mentions.itertuples())


def test_everybody_who_reads_a_mention_knows_the_item():
    sim = told(RUMOUR)
    read_it = table(sim, "impressions").merge(table(sim, "mentions")[["post"]], on="post").persona.unique()
    assert (sim.platform.hearsay.learnt[0, read_it] < 2**30).all()


def test_posts_say_what_they_are_recorded_to_say():
    sim = told(PARTY, RUMOUR, FACT, days=4)
    posts, mentions = table(sim, "posts").set_index("id"), table(sim, "mentions")
    about = dict(zip(mentions.post, mentions.item, strict=True))
    items = (PARTY, RUMOUR, FACT)
    for m in mentions.itertuples():
        text = posts.text[m.post]
        assert "{" not in text and "[" not in text and "\x1a" not in text, text
        assert about.get(posts.parent[m.post]) == m.item or items[m.item].says(text), text
    assert (posts.parent[mentions.post[mentions.saying == "invites"]] == -1).all()


def test_hardly_two_posts_on_an_item_are_alike():
    texts = []
    for seed in (1, 2, 3):
        sim = told(RUMOUR, seed=seed, behaviour=TALKATIVE)
        texts += table(sim, "posts").set_index("id").text[table(sim, "mentions").post].tolist()
    assert len(texts) > 12 and len(set(texts)) >= 0.9 * len(texts)


def test_only_guests_and_the_host_come_and_nobody_speaks_of_it_afterwards():
    sim = told(PARTY, days=4)
    rows = table(sim, "awareness")
    came, means = (set(rows.persona[rows.what == what]) for what in ("came", "comes"))
    host = set(rows.persona[rows.what == "knew"])
    assert len(came) > 3 and came <= means | host and host <= came
    assert (rows.step[rows.what == "came"] == PARTY.when).all()
    assert table(sim, "mentions").step.max() < PARTY.when


def test_news_can_be_forbidden_by_none_and_misinformation_by_a_rule():
    sim = told(RUMOUR)
    mentions, posts = table(sim, "mentions"), table(sim, "posts").set_index("id")
    spoke = mentions.assign(truth=posts.truth[mentions.post].astype(str).to_numpy())
    assert (spoke.truth[spoke.saying == "tells"] == "misinformation").all()
    assert not (spoke.truth[spoke.saying != "tells"] == "misinformation").any()


def test_a_resumed_run_ends_alike_and_a_fork_may_bring_news():
    news = (PARTY, RUMOUR)
    whole = told(*news)
    first = played(arm("hot", news=news), 2, 100)
    recorder = first.recorder.fork()
    again = past(100).fork(arm("hot", news=news), first.recorder)
    again.restore(first.state())
    again.play(3)
    assert again.recorder.digest == whole.recorder.digest
    later = first.fork(arm("hot", news=(*news, replace(FACT, starts=49))), recorder)
    later.play(3)
    assert later.platform.hearsay.learnt.shape[0] == 3
    assert (later.platform.hearsay.learnt[0] < 2**30).sum() > 20 and (later.platform.hearsay.learnt[2] < 2**30).any()


def test_arms_share_who_would_believe():
    """The threshold of each persona is its own: with more belief nobody stops believing."""
    low, high = (told(RUMOUR, behaviour=(("news_believe", b),)) for b in (-1.0, 2.0))
    both = (low.platform.hearsay.learnt[0] < 2**30) & (high.platform.hearsay.learnt[0] < 2**30)
    a, b = low.platform.hearsay.stance[0], high.platform.hearsay.stance[0]
    first_day = both & (low.platform.hearsay.heard[0] == 1) & (high.platform.hearsay.heard[0] == 1)
    assert not ((a > 0) & (b < 0) & first_day).any() and (b > 0).sum() > (a > 0).sum()


# -- words -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rumour", "fact", "invitation"])
def test_the_bank_has_lines_for_everything_that_can_be_said(kind):
    bank = news_bank()[kind]
    meeting, talk = ("tells", "asks", "invites", "comes", "declines", "welcomes"), ("tells", "asks", "doubts", "corrects")
    sayings = meeting if kind == "invitation" else talk
    for saying in sayings:
        places = {"invites": ["open"], "welcomes": ["answer"]}.get(saying, ["open", "aside", "answer"])
        assert all(bank[f"{saying}_{place}"] for place in places), saying
    for name, lines in bank.items():
        assert all("{item}" in line for line in lines) == name.endswith(("_open", "_aside")), name
        assert all(set(re.findall(r"\{(\w+)\}", line)) <= {"item", "date"} for line in lines)


def test_an_item_is_told_with_its_hour_as_it_stands_then():
    assert PARTY.told(PARTY.when - 2).startswith(f"{PARTY.inside}, to") and RUMOUR.told(30) == RUMOUR.inside
