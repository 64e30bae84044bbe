"""Verbs that play: run, resume, compare, demo."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.cli.common import (
    backend_option,
    community_of,
    cores,
    design_options,
    is_experiment,
    option_of_runs,
    replication_options,
    runs_option,
    runs_setting,
    say,
    say_json,
    size_options,
    stopping,
    verb,
)
from simulacra.cli.language import budget_of, cap_options, confirm, language_of, mind_options
from simulacra.cli.told import comparison_lines, matched_lines, segment_lines, show_run_result
from simulacra.errors import SpecError

if TYPE_CHECKING:
    from simulacra.analysis.verdict import Plan
    from simulacra.minds.settings import Language
    from simulacra.replicates import Comparison
    from simulacra.terminal import Live

SKETCH_DEMO = {"personas": 1000, "days": 7, "seeds": 8}
LANGUAGE_DEMO = {"personas": 50, "days": 2, "seeds": 2}
"""What a demonstration is where its size is not given."""
DEMO = {"community": "pittsburgh", "baseline": "feed=chronological", "variant": "feed=engagement"}


def do_run(a: argparse.Namespace) -> None:
    from simulacra.designs import make_arm
    from simulacra.experiment import RunSpec, play
    from simulacra.sessions import open_session, with_personas
    from simulacra.terminal import Live

    language = language_of(a)
    made = community_of(a)
    arm = make_arm(made, a.overlay, "run", feed=a.feed, moderation=a.moderation, behaviour=a.behaviour)
    spec = RunSpec(made, arm, a.personas, a.days, a.seed, language=language)
    live = Live(quiet=a.quiet)
    confirm(spec, a, live)
    session = open_session(language, a.runs, budget_of(a, live))
    if language is not None and session is not None:
        spec = replace(spec, language=with_personas(language, made, session, a.persona_pool))
    live.wait(f"Growing {a.personas:,} members of {made.name} and playing two days of burn-in ...")
    with stopping() as should_stop:
        run = play(spec, a.runs, a.id, live.hour, should_stop, session)
    show_run_result(run, a)


def do_resume(a: argparse.Namespace) -> None:
    from simulacra.experiment import resume
    from simulacra.terminal import Live

    if is_experiment(a):
        raise SpecError(f"{a.run} is a comparison. Go on with: simulacra compare --resume {a.run}{runs_setting(a)}")
    live = Live(quiet=a.quiet)
    budget = budget_of(a, live)
    with stopping() as should_stop:
        run = resume(a.run, a.runs, live.hour, should_stop, budget=budget, retry_failed=a.retry_failed)
    show_run_result(run, a)


def do_compare(a: argparse.Namespace) -> None:
    from simulacra.replicates import compare, resume_comparison
    from simulacra.terminal import Live

    if (a.community is None) == (a.resume is None):
        raise SpecError("compare: give a community, or --resume and an experiment's id.")
    live = Live(quiet=a.quiet)
    language = _confirmed(a, live) if a.resume is None else None
    budget = budget_of(a, live)
    with stopping(at_once=a.jobs != 1 and a.backend == "local" and language is None) as should_stop:
        if a.resume is not None:
            answer = resume_comparison(
                a.resume,
                a.jobs,
                runs_dir=a.runs,
                progress=live.replicate,
                should_stop=should_stop,
                backend=a.backend,
                budget=budget,
            )
        else:
            answer = compare(
                community_of(a), a.baseline, a.variant, a.personas, a.days, a.seeds, a.jobs, plan=_plan(a), first_seed=a.seed,
                paired=not a.unpaired, keep=a.keep, feed=a.feed, moderation=a.moderation, behaviour=a.behaviour,
                runs_dir=a.runs, experiment_id=a.id, progress=live.replicate, should_stop=should_stop, judge=a.judge, backend=a.backend,
                language=language, budget=budget, persona_pool=a.persona_pool,
            )  # fmt: skip
    if answer.fresh == 0:
        live.say(f"All {answer.spec.seeds} replicates had been played; none was played again. --id NAME plays them afresh.")
    if a.robust:
        _check_robustness(answer, a, live)
    if a.json:
        say_json(answer.to_dict() | ({"segments": [row.to_dict() for row in answer.segment_list]} if a.segments else {}))
        return
    say(comparison_lines(answer, a.all))
    if a.segments:
        say(segment_lines(answer))


def _confirmed(a: argparse.Namespace, live: Live) -> Language | None:
    """The language mind of a comparison, once what it will take has been told."""
    from simulacra.designs import make_arm
    from simulacra.experiment import RunSpec

    language = language_of(a)
    if language is not None:
        made = community_of(a)
        arm = make_arm(made, a.baseline, "run", feed=a.feed, moderation=a.moderation, behaviour=a.behaviour)
        seeds = a.seeds if isinstance(a.seeds, int) else 8
        confirm(RunSpec(made, arm, a.personas, a.days, a.seed, language=language), a, live, 2, seeds, 2 * min(seeds, 8))
    return language


def _check_robustness(answer: Comparison, a: argparse.Namespace, live: Live) -> None:
    from simulacra.studies.robustness import robustness

    live.say("Playing the same comparison under other assumptions ...")
    with stopping(at_once=a.jobs != 1 and a.backend == "local") as should_stop:
        if robustness(answer, a.jobs, live.replicate, should_stop, backend=a.backend) is None:
            live.say("The primary measure shows no direction that other assumptions could turn: nothing was played.")


def do_demo(a: argparse.Namespace) -> None:
    from simulacra.replicates import compare, experiments_beside
    from simulacra.terminal import Live

    live = Live(quiet=a.quiet)
    name = _demo_id(experiments_beside(a.runs))
    language = _demo_settings(a, live)
    live.say(f"Playing two designs of {DEMO['community']}, {a.personas:,} members, {a.days} days, {a.seeds} replicates ...")
    with stopping(at_once=a.jobs != 1 and language is None) as should_stop:
        answer = compare(
            DEMO["community"], DEMO["baseline"], DEMO["variant"], a.personas, a.days, a.seeds, a.jobs, runs_dir=a.runs,
            experiment_id=name, progress=live.replicate, should_stop=should_stop, language=language, budget=budget_of(a, live),
            persona_pool=a.persona_pool,
        )  # fmt: skip
    if a.json:
        say_json(answer.to_dict())
        return
    say([*comparison_lines(answer, False), *matched_lines(answer), *_next_steps(answer)])


def _demo_settings(a: argparse.Namespace, live: Live) -> Language | None:
    """Fill in the size that fits the mind, and have a language model's price agreed to."""
    small = a.mind != "sketch"
    for name, usual in (LANGUAGE_DEMO if small else SKETCH_DEMO).items():
        if getattr(a, name) is None:
            setattr(a, name, usual)
    a.community, a.baseline, a.set, a.feed, a.moderation, a.behaviour, a.seed = (
        DEMO["community"], DEMO["baseline"], None, None, None, None, 1,
    )  # fmt: skip
    language = _confirmed(a, live)
    if small and a.seeds != "auto" and a.seeds < 6:
        live.say(
            f"A demonstration to read: {a.seeds} replicates make no claim (6 do). --personas, --days and --seeds enlarge it."
        )
    return language


def _demo_id(place: Path) -> str:
    """`demo`, or the first of demo-2, demo-3 ... that is not finished: a demonstration plays, it shows no old answer."""
    from simulacra.replicates import EXPERIMENT_FILE, ExperimentFolder

    number, name = 1, "demo"
    while (place / name / EXPERIMENT_FILE).exists() and ExperimentFolder(place / name).status == "finished":
        number += 1
        name = f"demo-{number}"
    return name


def _plan(a: argparse.Namespace) -> Plan:
    from simulacra.analysis.verdict import Plan

    names = tuple(name.strip() for text in a.guardrail or () for name in text.split(",") if name.strip())
    return Plan(a.primary, a.margin, names)


def _next_steps(answer: Comparison) -> list[str]:
    baseline = answer.runs["baseline"][0]
    return [
        "", "What to type next:",
        f"  simulacra show {baseline}{option_of_runs(answer.runs_dir)}",
        "  simulacra compare pittsburgh --baseline moderation=none --variant moderation=automod+human_review",
        "  simulacra new \"My community\"        # a commented file to describe your own",
        "  simulacra parameters                # every feed, moderation design and behaviour parameter",
    ]  # fmt: skip


def add(verbs: Any) -> None:
    """run, resume, compare and demo."""
    _add_run(verbs)
    _add_resume(verbs)
    _add_compare(verbs)
    _add_demo(verbs)


def _add_run(verbs: Any) -> None:
    run = verb(verbs, "run", do_run, "play one run of a community")
    run.add_argument("community", help="a bundled community's name or a TOML file")
    design_options(run)
    size_options(run, "seed of all chance")
    run.add_argument("--overlay", type=Path, metavar="FILE", help="a TOML overlay on top of the community's design")
    run.add_argument("--id", help="name of the run's folder")
    mind_options(run)
    runs_option(run)


def _add_resume(verbs: Any) -> None:
    resume = verb(verbs, "resume", do_resume, "go on with a stopped or interrupted run")
    resume.add_argument("run", metavar="RUN", help="a run's id or path")
    cap_options(resume, retry=True)
    runs_option(resume)


def _add_compare(verbs: Any) -> None:
    compare = verb(verbs, "compare", do_compare, "compare two designs over several seeds")
    compare.add_argument("community", nargs="?", help="a bundled community's name or a TOML file")
    own = '"key=value ..." or a TOML overlay; default: the community\'s own design'
    compare.add_argument("--baseline", default="", metavar="SETTINGS", help=own)
    such = 'such as "feed=engagement moderation=none" or strict.toml'
    compare.add_argument("--variant", default="", metavar="SETTINGS", help=such)
    design_options(compare)
    size_options(compare, "first seed")
    replication_options(compare)
    backend_option(compare)
    compare.add_argument("--primary", default="toxicity_seen", metavar="MEASURE", help="what decides (default toxicity_seen)")
    compare.add_argument("--margin", type=float, metavar="SIZE", help="the smallest difference of it that matters, in its unit")
    such = "a measure to watch besides; at most four, repeatable"
    compare.add_argument("--guardrail", action="append", metavar="MEASURE", help=such)
    said = "who judges toxicity where an arm acts by the scorer: semantic (default), hf:PATH_OR_NAME, or none"
    compare.add_argument("--judge", metavar="SCORER", help=said)
    compare.add_argument("--segments", action="store_true", help="the primary and guardrails among kinds of members too")
    compare.add_argument("--robust", action="store_true", help="replay the primary measure under other assumptions")
    compare.add_argument("--unpaired", action="store_true", help="disjoint seeds for the two arms")
    compare.add_argument("--keep", choices=("first", "all"), default="first", help="whose full records stay (default first)")
    compare.add_argument("--id", help="name of the experiment's folder")
    compare.add_argument("--resume", metavar="EXPERIMENT", help="play the replicates that this experiment lacks")
    mind_options(compare)
    compare.add_argument("--all", action="store_true", help="show measures with nothing to count too")
    runs_option(compare)


def _add_demo(verbs: Any) -> None:
    demo = verb(verbs, "demo", do_demo, "the main job on a bundled community: compare two feeds")
    demo.add_argument("--personas", type=int, metavar="N", help="members (default 1000; 50 with a language model)")
    demo.add_argument("--days", type=int, metavar="N", help="simulated days (default 7; 2 with a language model)")
    replication_options(demo, jobs=min(8, cores()))
    demo.set_defaults(seeds=None)
    mind_options(demo, past="sketch")
    runs_option(demo)
