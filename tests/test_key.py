"""The key stays in the environment: a whole run with a key, refused half way, leaves it nowhere."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from fault_server import FaultServer, Request

from simulacra.designs import make_arm
from simulacra.errors import Capped
from simulacra.events import TABLES
from simulacra.experiment import RunSpec, open_run, play, resume
from simulacra.minds.settings import Language
from simulacra.record.export import export_run
from simulacra.sessions import open_session
from simulacra.text import ModelSpec
from tests.support import community

KEY = "sk-test-91c2f0aa7be64d1e"


def spec(server: FaultServer) -> RunSpec:
    language = Language(ModelSpec("openai", server.model, server.url, chats=True), past="sketch")
    arm = make_arm(community(), "feed=hot", "run", behaviour={"write": 0.3})
    return RunSpec(community(), arm, 40, 1, 1, language=language)


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + "".join(
        traceback.TracebackException.from_exception(error, capture_locals=True).format()
    )


def test_a_run_with_a_key_leaves_it_nowhere(monkeypatch, tmp_path: Path, caplog, capsys):
    """The server refuses the key half way and repeats it in its message; then the run goes on. Text columns are looked at decoded."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)

    def respond(request: Request) -> str:
        if request.number == 9:
            server.key = "another"  # from the next call on
        return ""

    with FaultServer(respond, key=KEY) as server:
        what = spec(server)
        session = open_session(what.language, tmp_path)
        with pytest.raises(Capped, match=r"refuses further calls \(401\)") as refused:
            play(what, tmp_path, "one", session=session)
        server.key = KEY
        run = resume("one", tmp_path)
        assert run.status == "finished"
    shown = [told(refused.value), repr(session), repr(what), repr(run), str(run.to_dict()), str(run.folder.info), caplog.text]
    shown += [*capsys.readouterr(), *(str(run.frames.table(name, burn_in=True).to_dict()) for name in TABLES)]
    for to in ("csv", "parquet"):
        export_run(open_run("one", tmp_path).folder, to, tmp_path / f"exported-{to}")  # type: ignore[arg-type]
    shown += [path.read_bytes().decode("latin1") for path in tmp_path.rglob("*") if path.is_file()]
    assert len(shown) > 20 and not [text[max(0, text.find(KEY) - 200) : text.find(KEY) + 60] for text in shown if KEY in text]
