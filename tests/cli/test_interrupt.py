"""Which signals end a command in order, and which at once."""

import os
import signal

import pytest

from ginjax_cli._interrupt import Interrupt


def send(number):
    os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def hangups_are_not_ignored():
    """Under `nohup` they are, and stay so."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_noted_and_then_as_it_was(number):
    before = signal.getsignal(number)
    with Interrupt() as interrupt:
        assert not interrupt.asked()
        send(number)
        assert interrupt.asked()
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_one_interrupts(number):
    with pytest.raises(KeyboardInterrupt), Interrupt():
        send(signal.SIGTERM)
        send(number)


def test_a_terminal_that_goes_away_is_told_twice():
    with Interrupt() as interrupt:
        send(signal.SIGHUP)
        send(signal.SIGHUP)
        send(signal.SIGTERM)  # the first that anybody sent on purpose
        assert interrupt.asked()


def test_nohup_stays():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            send(signal.SIGHUP)
            assert not interrupt.asked()
    finally:
        signal.signal(signal.SIGHUP, before)
