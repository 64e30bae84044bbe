"""What the platform keeps count of, beyond what the simulation's own tests show."""

import numpy as np
from support import arm, played


def test_votes_and_reports_are_counted_apart_for_the_other_home_group():
    sim = played(arm(behaviour={"upvote": -1, "downvote": -2, "false_report": 0.2}), days=2)
    frames = sim.recorder.frames()
    posts, reactions = sim.platform.posts, frames.table("reactions", burn_in=True)
    group = sim.population.group
    far = group[reactions.persona] != group[posts.author[reactions.post]]
    tallies = ((1, posts.up, posts.up_far), (-1, posts.down, posts.down_far), (2, posts.reports, posts.reports_far))
    for value, everybody, others in tallies:
        rows = (reactions.reaction == value).to_numpy()
        for tally, counted in ((everybody, rows), (others, rows & far)):
            expected = np.bincount(reactions.post[counted], minlength=len(posts))
            assert np.array_equal(tally[: len(posts)], expected)
    assert posts.up_far.sum() > 5 < posts.reports_far.sum()


def test_the_latest_votes_are_remembered_with_who_gave_them_and_no_more():
    sim = played(arm(behaviour={"upvote": 1, "visit_rate": 3}), days=3)
    reactions = sim.recorder.frames().table("reactions", burn_in=True)
    votes = reactions[reactions.reaction != 2]
    reader, post, vote = sim.platform.recent_votes()
    assert len(reader) == 8 * len(sim.population) < len(votes)
    latest = votes.tail(len(reader))
    assert set(zip(reader, post, vote, strict=True)) == set(zip(latest.persona, latest.post, latest.reaction, strict=True))


def test_a_moderator_who_looks_again_errs_anew():
    sim = played(days=2)
    posts = np.arange(len(sim.platform.posts), dtype=np.int32)
    first, again, appeal = (
        sim.platform.judge(posts, 0.3, 0.3, sim.streams, occasion) for occasion in ("judge", "judge", "judge appeal")
    )
    assert np.array_equal(first, again)
    both_err = (first & appeal)[sim.platform.posts.rule[: len(posts)] == 0].mean()
    assert 0.02 < both_err < 0.18  # .09 where errors are independent
