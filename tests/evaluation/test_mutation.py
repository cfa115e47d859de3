"""The metrics notice a system that is broken on purpose, and nothing in one that is whole."""

from self_service_agent.evaluation.files import evaluations_folder, load_phrases, load_scenarios
from self_service_agent.evaluation.judges import Metric
from self_service_agent.evaluation.mutants import MUTANTS
from self_service_agent.evaluation.mutation import try_mutants
from self_service_agent.evaluation.showing import show_trials

FEW = ("half-a-yes", "misquote", "drop-option")


async def test_mutants_are_caught_and_the_whole_system_is_not(capsys):
    folder = evaluations_folder()

    trials = await try_mutants([MUTANTS[name] for name in FEW], load_scenarios(folder), load_phrases(folder))
    show_trials(trials)

    assert [(trial.name, trial.is_caught) for trial in trials] == [(name, True) for name in ("none", *FEW)]
    assert "ESCAPED" not in capsys.readouterr().out


def test_every_metric_has_a_mutant():
    noticed = set().union(*(mutant.caught_by for mutant in MUTANTS.values()))

    assert noticed == set(Metric)
