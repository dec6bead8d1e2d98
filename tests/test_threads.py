"""Pieces of work on threads of their own."""

import os
import signal
import threading
import time

import pytest
import torch

from brainrnn.threads import in_pieces, one_thread, share, workers

PATIENCE = 5  # seconds, of those who wait for each other

pytestmark = pytest.mark.usefixtures("two_threads")


def threads_elsewhere():
    """Threads of an operation in a thread that is new."""
    seen = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return seen[0]


def meet(barrier):
    """Work that ends only if another piece runs at the same time."""

    def work(piece):
        barrier.wait(PATIENCE)
        return piece, threading.get_ident()

    return work


def test_two_pieces_run_at_once():
    with in_pieces():
        (one, here), (two, there) = share(meet(threading.Barrier(2)), ["a", "b"])
    assert (one, two) == ("a", "b")
    assert here != there


def test_one_of_the_threads_is_the_callers():
    with in_pieces():
        results = share(meet(threading.Barrier(2)), [0, 1])
    assert threading.get_ident() in {ident for _, ident in results}


@pytest.mark.parametrize("n", [0, 1, 2, 3, 40])
def test_results_come_in_the_order_of_the_pieces(n):
    def work(piece):
        time.sleep(0.002 * (piece % 3 == 0))  # whoever waits is overtaken
        return piece**2

    expected = [piece**2 for piece in range(n)]
    assert share(work, range(n)) == expected
    with in_pieces():
        assert share(work, range(n)) == expected


def test_every_piece_is_worked_on_once():
    worked = []
    with in_pieces():
        share(worked.append, range(200))
    assert sorted(worked) == list(range(200))


@pytest.mark.parametrize("where", ["outside", "not whole", "one piece", "one thread"])
def test_otherwise_the_caller_does_all(where):
    def work(_):
        return threading.get_ident()

    pieces = [0] if where == "one piece" else range(8)
    if where == "outside":
        idents = share(work, pieces)
    else:
        torch.set_num_threads(1 if where == "one thread" else 2)
        with in_pieces(where != "not whole"):
            idents = share(work, pieces)
    assert set(idents) == {threading.get_ident()}
    assert len(idents) == len(pieces)


@pytest.mark.parametrize("recording", [True, False])
def test_every_thread_records_gradients_as_the_caller_does(recording):
    barrier = threading.Barrier(2)

    def work(_):
        barrier.wait(PATIENCE)
        return torch.is_grad_enabled(), threading.get_ident()

    with in_pieces():
        with torch.set_grad_enabled(recording):
            first = share(work, [0, 1])
            assert torch.is_grad_enabled() is recording
        with torch.set_grad_enabled(not recording):  # the same threads are told again
            second = share(work, [0, 1])
    assert len({ident for _, ident in first}) == 2
    assert [grad for grad, _ in first] == [recording] * 2
    assert [grad for grad, _ in second] == [not recording] * 2
    assert torch.is_grad_enabled()


def test_a_graph_may_be_built_on_another_thread():
    x = torch.arange(2.0, requires_grad=True)
    barrier = threading.Barrier(2)

    def work(i):
        barrier.wait(PATIENCE)
        return torch.autograd.grad((x[i] * 3) ** 2, x)[0]

    with in_pieces():
        slopes = share(work, [0, 1])
    assert torch.stack(slopes).tolist() == [[0, 0], [0, 18]]


@pytest.mark.parametrize("here", [True, False])
def test_an_error_in_any_thread_reaches_the_caller(here):
    caller, barrier = threading.get_ident(), threading.Barrier(2)

    def work(piece):
        if piece < 2:
            barrier.wait(PATIENCE)
            if (threading.get_ident() == caller) is here:
                raise KeyError("a piece")
        return piece

    with in_pieces():
        with pytest.raises(KeyError, match="a piece"):
            share(work, range(6))
        assert workers() == 2
        assert share(abs, [-1, -2]) == [1, 2]


@pytest.mark.parametrize("piece", range(5))
def test_an_error_in_any_piece_reaches_the_caller(piece):
    def work(i):
        if i == piece:
            raise ValueError(f"piece {i}")
        return i

    for whole in (True, False):
        with in_pieces(whole), pytest.raises(ValueError, match=f"piece {piece}"):
            share(work, range(5))


def test_work_within_a_piece_is_not_shared_again():
    barrier = threading.Barrier(2)

    def inner(_):
        return threading.get_ident(), workers()

    def outer(_):
        barrier.wait(PATIENCE)
        return threading.get_ident(), share(inner, range(4))

    with in_pieces():
        results = share(outer, [0, 1])
        assert workers() == 2
    assert len({ident for ident, _ in results}) == 2
    for ident, inside in results:
        assert inside == [(ident, 1)] * 4


def test_no_operation_has_threads_of_its_own_within_pieces():
    barrier = threading.Barrier(2)

    def work(_):
        barrier.wait(PATIENCE)
        return torch.get_num_threads()

    assert workers() == 1
    with in_pieces():
        assert torch.get_num_threads() == 1
        assert workers() == 2
        assert share(work, [0, 1]) == [1, 1]
    assert workers() == 1


def test_thread_counts_are_as_before_afterwards():
    with in_pieces():
        share(meet(threading.Barrier(2)), [0, 1])
        with in_pieces(), one_thread():
            assert workers() == 2
            share(meet(threading.Barrier(2)), [0, 1])
        assert workers() == 2
    assert torch.get_num_threads() == threads_elsewhere() == 2
    with pytest.raises(ZeroDivisionError), in_pieces():
        share(lambda piece: 1 / piece, [1, 0])
    assert torch.get_num_threads() == threads_elsewhere() == 2
    assert workers() == 1
    with one_thread(False):
        assert torch.get_num_threads() == 2
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_denormals_are_flushed_where_the_caller_flushes_them():
    barrier = threading.Barrier(2)

    def work(_):
        barrier.wait(PATIENCE)
        return float(torch.tensor(1e-40) * 1)

    torch.set_flush_denormal(True)
    try:
        with in_pieces():
            assert share(work, [0, 1]) == [0, 0]
    finally:
        torch.set_flush_denormal(False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own():
    with in_pieces():
        share(meet(threading.Barrier(2)), [0, 1])  # the parent has a pool
        child = os.fork()
        if not child:
            signal.alarm(2 * PATIENCE)  # whoever waits for a thread of the parent waits forever
            try:
                results = share(meet(threading.Barrier(2)), ["a", "b"])
                right = [piece for piece, _ in results] == ["a", "b"]
                os._exit(0 if right and len({ident for _, ident in results}) == 2 else 1)
            except BaseException:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert [piece for piece, _ in share(meet(threading.Barrier(2)), [0, 1])] == [0, 1]
