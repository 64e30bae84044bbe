"""One step of camel-oasis's platform without a model, run by a Python that has it: `oasis_platform.py PERSONAS HISTORY`.

Update the recommendations, then everybody refreshes, one in ten posts, one in ten comments, one in five likes; "reddit" recommender,
100 recommended posts, 5 a refresh, SQLite in a file. Prints one JSON line. OASIS keeps no scores and ranks one list for all; we do
not keep its trace of every action's arguments.
"""

import asyncio
import json
import os
import random
import sys
import tempfile
import time


async def main(personas: int, history: int) -> None:
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    from oasis.social_platform.platform import Platform

    random.seed(1)
    words = "the of a to in market climate health team music game code paper city food trip budget signal trend story".split()  # noqa: SIM905
    text = lambda: " ".join(random.choices(words, k=22))  # noqa: E731
    database = os.path.join(folder, "oasis.db")
    p = Platform(db_path=database, recsys_type="reddit", max_rec_post_len=100, refresh_rec_post_count=5)
    for i in range(personas):
        await p.sign_up(i, (f"u{i}", f"User {i}", text()))
    first = max(history, personas // 5)
    p.db_cursor.executemany(
        "INSERT INTO post(user_id,content,created_at,num_likes,num_dislikes,num_shares) VALUES(?,?,?,?,0,0)",
        [(random.randrange(personas), text(), "2026-01-01 00:00:00.000001", random.randrange(5)) for _ in range(first)],
    )
    if history:  # what such a past leaves behind: a comment, two likes and ten refreshes a post
        moment = "2026-01-01 00:00:00.000001"
        who, which = (lambda: random.randrange(personas)), (lambda: random.randrange(1, history + 1))
        p.db_cursor.executemany(
            "INSERT INTO comment(post_id,user_id,content,created_at) VALUES(?,?,?,?)",
            [(which(), who(), text(), moment) for _ in range(history)],
        )
        p.db_cursor.executemany(
            "INSERT OR IGNORE INTO 'like'(post_id,user_id,created_at) VALUES(?,?,?)",
            [(which(), who(), moment) for _ in range(2 * history)],
        )
        seen_before = json.dumps({"posts": [{"post_id": 1, "content": text()} for _ in range(5)]})
        p.db_cursor.executemany(
            "INSERT OR IGNORE INTO trace(user_id,created_at,action,info) VALUES(?,?,?,?)",
            [(who(), f"x{k}", "refresh", seen_before) for k in range(10 * history)],
        )
    p.db.commit()
    started, actions = time.process_time(), 0
    await p.update_rec_table()
    for i in range(personas):
        seen = await p.refresh(i)
        posts = [post["post_id"] for post in seen["posts"]] if seen["success"] else []
        actions += 1
        u = random.random()
        if u < 0.1:
            await p.create_post(i, text())
        elif u < 0.2 and posts:
            await p.create_comment(i, (random.choice(posts), text()))
        if random.random() < 0.2 and posts:
            await p.like_post(i, random.choice(posts))
            actions += 1
        actions += u < 0.2
    print(json.dumps({"first_step_cpu_s": time.process_time() - started, "actions": actions}))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
