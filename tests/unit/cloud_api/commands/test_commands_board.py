"""Waking downlinks and telling listeners."""

from uuid import UUID

import pytest

from cloud_api.commands.board import MAX_DOWNLINKS, Board
from cloud_api.errors import TooManyError

TENANT, GATEWAY, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


def test_only_the_downlinks_of_the_gateway_wake():
    board = Board()
    with board.waiting(GATEWAY) as mine, board.waiting(OTHER) as another:
        board.wake(GATEWAY)
        assert (mine.is_set(), another.is_set()) == (True, False)


def test_closed_board_wakes_everybody():
    board = Board()
    with board.waiting(GATEWAY) as mine:
        board.close()
        assert mine.is_set()
        assert board.closed


def test_downlinks_of_a_gateway_are_bounded():
    board = Board()
    held = [board.waiting(GATEWAY) for _ in range(MAX_DOWNLINKS)]
    for one in held:
        one.__enter__()
    with pytest.raises(TooManyError):
        board.waiting(GATEWAY).__enter__()
    held[0].__exit__(None, None, None)
    with board.waiting(GATEWAY):
        pass


def test_listeners_hear_of_changes_only():
    heard = []
    board = Board()
    board.listen(lambda tenant, commands: heard.append((tenant, list(commands))))
    board.changed(TENANT, [])
    board.changed(TENANT, [GATEWAY])
    assert heard == [(TENANT, [GATEWAY])]
