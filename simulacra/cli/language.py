"""What verbs that may ask a language model share: who writes, caps, what it will take; and the verbs estimate and voices."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.cli.common import community_of, design_options, runs_option, say, say_json, size_options, verb
from simulacra.errors import SpecError

if TYPE_CHECKING:
    from simulacra.estimates import Estimate
    from simulacra.experiment import RunSpec
    from simulacra.minds.settings import Language
    from simulacra.terminal import Live
    from simulacra.text import Budget

MINDS = ("sketch", "openai", "local")


# -- options ---------------------------------------------------------------------------------------------------------------


def mind_options(verb: argparse.ArgumentParser, past: str = "model") -> None:
    """Who writes, how, and within which caps."""
    group = verb.add_argument_group("who writes")
    _model_options(group, "sketch")
    said = "guided: the behaviour model decides, one call a post (default); full: the model decides, one call a visit"
    group.add_argument("--autonomy", default="guided", metavar="guided|full", help=said)
    group.add_argument(
        "--past", default=past, metavar="model|sketch", help=f"who writes the two days of burn-in (default {past})"
    )
    group.add_argument(
        "--batch-briefs", type=int, default=1, metavar="N", help="posts asked for in one call, 1 to 8 (default 1)"
    )
    said = "people that the model invents of the sketches beforehand, such as 100 (default 0: the sketches alone)"
    group.add_argument("--persona-pool", type=int, default=0, metavar="N", help=said)
    said = "members who write remember what they read and wrote, and conclude from it (default; off: nothing beyond the thread)"
    group.add_argument("--memory", action=argparse.BooleanOptionalAction, default=None, help=said)
    cap_options(verb)
    yes_option(verb)


def _model_options(group: Any, mind: str) -> None:
    said = f"sketch: a grammar, for nothing; openai: a server of that protocol; local: a model in the program (default {mind})"
    group.add_argument("--mind", choices=MINDS, default=mind, help=said)
    group.add_argument(
        "--model", metavar="NAME", help="its name at the server; for local a GGUF file (default: the packaged one)"
    )
    group.add_argument("--base-url", default="", metavar="URL", help="address of the server (default: that of OpenAI)")


def cap_options(
    verb: argparse.ArgumentParser,
    retry: bool = False,
    about: str = "Reaching one ends the run cleanly; a higher one resumes it.",
) -> None:
    group = verb.add_argument_group("caps of a language model", about)
    group.add_argument("--max-cost", type=float, metavar="DOLLARS")
    group.add_argument("--max-calls", type=int, metavar="N")
    group.add_argument("--max-minutes", type=float, metavar="N")
    if retry:
        group.add_argument("--retry-failed", action="store_true", help="ask again, once, what failed before")


def yes_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--yes", action="store_true", help="begin without being asked, however much it will take")


def question_options(verb: argparse.ArgumentParser) -> None:
    """Caps of a question to a run that a language model wrote, and its price told without asking."""
    cap_options(
        verb, about="For runs that one wrote. A cap ends the question; asked again with a higher one it goes on from there."
    )
    yes_option(verb)
    verb.add_argument("--price", action="store_true", help="tell what it will take and ask nothing")


def language_of(a: argparse.Namespace) -> Language | None:
    """The language mind that the options name; None for the sketch mind. Raises SpecError where they do not fit together."""
    from simulacra.minds.settings import make_language

    if a.mind == "sketch":
        caps = {"max-cost": a.max_cost, "max-calls": a.max_calls, "max-minutes": a.max_minutes, "persona-pool": a.persona_pool,
                "memory": a.memory}  # fmt: skip
        if wrong := [name for name, value in caps.items() if value]:
            raise SpecError(f"--{wrong[0]} is for language minds. Add --mind openai or --mind local.")
    memory = 0 if a.memory is False else None
    return make_language(a.mind, a.model, a.base_url, a.autonomy, a.past, a.batch_briefs, memory)


def budget_of(a: argparse.Namespace, live: Live | None = None) -> Budget:
    """The caps, and counters that `live` shows from now on."""
    from simulacra.text import Budget

    budget = Budget(a.max_cost, a.max_calls, a.max_minutes)
    if live is not None:
        live.counters = lambda: budget.spent.briefly() if budget.spent.calls + budget.spent.stored else ""
    return budget


# -- before it begins ------------------------------------------------------------------------------------------------------


def confirm(spec: RunSpec, a: argparse.Namespace, live: Live, arms: int = 1, seeds: int = 1, concurrent: int = 1) -> None:
    """Tell what a language run will take and, where that is much, have it agreed to. The sketch mind is not asked about.

    Raises SpecError where nobody can be asked, and where the answer is no.
    """
    if spec.language is None or (a.yes and a.quiet):
        return
    from simulacra.estimates import estimate

    agree(lambda: estimate(spec, arms, seeds, a.persona_pool, concurrent=concurrent), a, live)


def agree(price: Callable[[], Estimate], a: argparse.Namespace, live: Live) -> None:
    """Tell what it will take and, where that is much, have it agreed to. Raises SpecError as `confirm` does."""
    live.wait("Playing it dry to see what it will take ...")
    told = price()
    for line in told.told():
        live.say(line)
    if told.is_large and not a.yes:
        _ask(told, a)


def _ask(told: Estimate, a: argparse.Namespace) -> None:
    within = " Caps: --max-cost, --max-calls, --max-minutes." if not (a.max_cost or a.max_calls or a.max_minutes) else ""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SpecError(
            f"That is much ({told.brief()}) and nobody is here to be asked. Add --yes to begin all the same.{within}"
        )
    print(f"That is much ({told.brief()}).{within} Begin? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise SpecError("Not begun; nothing was asked of the model.")


# -- verbs -----------------------------------------------------------------------------------------------------------------


def do_estimate(a: argparse.Namespace) -> None:
    from simulacra.designs import make_arm
    from simulacra.estimates import estimate
    from simulacra.experiment import RunSpec

    language = language_of(a)
    if language is None:
        raise SpecError(
            "The sketch mind costs nothing. Say which model is to write: --mind openai --model NAME, or --mind local."
        )
    made = community_of(a)
    arm = make_arm(made, None, "run", feed=a.feed, moderation=a.moderation, behaviour=a.behaviour)
    for name in ("arms", "seeds"):
        if not 1 <= getattr(a, name) <= 1000:
            raise SpecError(f"--{name} is {getattr(a, name)}: expected a whole number from 1 to 1000.")
    told = estimate(RunSpec(made, arm, a.personas, a.days, a.seed, language=language), a.arms, a.seeds, a.persona_pool)
    say_json(told.to_dict()) if a.json else say(told.told())


def do_voices(a: argparse.Namespace) -> None:
    from simulacra.community import load_community
    from simulacra.minds.bankwriter import bank_path, write_bank
    from simulacra.minds.settings import make_language
    from simulacra.record.durable import disk_errors, replace_file
    from simulacra.sessions import open_session
    from simulacra.terminal import Live

    community = load_community(a.community)
    path = a.out or bank_path(a.community, community.slug)
    if path.exists() and not a.force:
        raise SpecError(f"{path}: exists already and is not overwritten. Give --out and another path, or --force.")
    live = Live(quiet=a.quiet)
    language = make_language(a.mind, a.model, a.base_url)
    session = open_session(language, a.runs, budget_of(a, live))
    if session is None:
        raise SpecError("voices: the sketch mind cannot write its own bank. Add --mind openai --model NAME.")
    bank = write_bank(community, session.generator, str(path), lambda done, total: live.count("list", done, total, 0))
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, bank.toml.encode())
    if a.json:
        lost = {"thrown_away": dict(bank.thrown), "failures": dict(bank.failures)}
        return say_json({"path": str(path), "lines": bank.lines, **lost, "spent": session.spent()})
    say([f"Wrote {path}: {bank.lines:,} lines.", *bank.told(), session.budget.spent.told() + "."])


def add(verbs: Any) -> None:
    """estimate and voices."""
    tell = verb(verbs, "estimate", do_estimate, "what a language run will take: calls, tokens, time, money")
    tell.add_argument("community", help="a bundled community's name or a TOML file")
    design_options(tell)
    size_options(tell, "seed of all chance")
    tell.add_argument("--arms", type=int, default=1, metavar="N", help="designs compared (default 1)")
    tell.add_argument("--seeds", type=int, default=1, metavar="N", help="replicates of each (default 1)")
    mind_options(tell)

    bank = verb(verbs, "voices", do_voices, "have a model write a community's phrase bank, once, for the sketch mind")
    bank.add_argument("community", help="a bundled community's name or a TOML file")
    _model_options(bank, "openai")
    bank.add_argument("--out", type=Path, metavar="FILE", help="where to (default: beside the community's file)")
    bank.add_argument("--force", action="store_true", help="overwrite a bank that exists")
    cap_options(bank)
    runs_option(bank)
