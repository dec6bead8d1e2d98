"""Jobs in a shared folder: each is done by one worker, and what a lost one took is done again."""

import threading

import pytest

from brainrnn.errors import DivergedError, InputError
from brainrnn.study.trays import Trays


@pytest.fixture
def trays(tmp_path):
    return Trays(tmp_path)


def test_jobs_are_taken_in_their_order_and_once(trays):
    for number in (2, 10, 1):
        trays.put(number, pow, (number, 2))
    assert [trays.take("a")[0], trays.take("b")[0], trays.take("a")[0]] == [1, 2, 10]
    assert trays.take("b") is None


def test_of_many_workers_one_takes_a_job(trays, tmp_path):
    numbers = list(range(1, 201))
    for number in numbers:
        trays.put(number, pow, (number, 2))
    barrier, taken = threading.Barrier(4), []

    def work(owner):
        own = Trays(tmp_path)
        barrier.wait()
        while job := own.take(owner):
            taken.append(job[0])

    threads = [threading.Thread(target=work, args=(f"worker{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == numbers


def test_what_a_lost_worker_took_is_put_back(trays):
    trays.put(1, pow, (2, 3))
    trays.put(2, pow, (2, 4))
    trays.take("7-0")
    trays.take("8-0")
    trays.give_back(lambda owner: owner == "7-0")
    assert trays.take("9-0") == (1, pow, (2, 3))
    assert trays.take("9-0") is None


def test_what_was_answered_is_never_put_back(trays):
    trays.put(1, pow, (2, 3))
    trays.take("7-0")
    trays.answer(1, 8)
    assert list(trays.answers()) == [(1, 8)]
    trays.give_back(lambda owner: True)
    assert trays.take("8-0") is None
    assert list(trays.answers()) == []


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (DivergedError("the loss is nan"), DivergedError, "the loss is nan"),
        (DivergedError(lambda: 0), InputError, "DivergedError: <function"),
    ],
)
def test_errors_are_answers_too(trays, error, kind, words):
    trays.answer(3, error)
    ((number, found),) = trays.answers()
    assert number == 3
    assert type(found) is kind
    assert words in str(found)
