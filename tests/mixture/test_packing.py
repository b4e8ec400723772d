import numpy as np
import pytest

from emma500.errors import ConfigError
from emma500.mixture.packing.fitting import best_fit, pack, place

PREFIX, EOS, PAD = 1, 2, 0


def packed(documents, **options):
    options = {"length": 8, "prefix": PREFIX, "pad": PAD, **options}
    return pack([np.array(each, dtype=np.int64) for each in documents], **options)


def predicted(rows, document):
    """The predicted tokens of one document; its pieces are sorted by their first token here, so count upwards."""
    tokens = rows["input_ids"][rows["document"] == document]
    return sorted(tokens.tolist())


def test_two_short_documents_share_a_row_and_positions_restart():
    rows = packed([[10, 11, 12], [20, 21]])
    assert rows["input_ids"].tolist() == [[PREFIX, 10, 11, 12, PREFIX, 20, 21, PAD]]
    assert rows["position_ids"].tolist() == [[0, 1, 2, 3, 0, 1, 2, 0]]
    assert rows["document"].tolist() == [[-1, 0, 0, 0, -1, 1, 1, -1]]


def test_a_long_document_is_cut_and_each_piece_starts_with_the_token_before_it():
    rows = packed([list(range(10, 26))], eos=EOS)
    assert rows["input_ids"].tolist() == [
        [PREFIX, 10, 11, 12, 13, 14, 15, 16],
        [16, 17, 18, 19, 20, 21, 22, 23],
        [23, 24, 25, EOS, PAD, PAD, PAD, PAD],
    ]
    assert rows["document"].tolist() == [
        [-1] + [0] * 7,
        [-1] + [0] * 7,
        [-1, 0, 0, 0, -1, -1, -1, -1],
    ]


def test_without_window_context_each_piece_starts_with_the_prefix():
    rows = packed([list(range(10, 20))], window_context=False)
    assert rows["input_ids"][1, :4].tolist() == [PREFIX, 17, 18, 19]


def test_an_end_token_that_falls_into_a_new_row_has_its_context():
    rows = packed([list(range(10, 17))], eos=EOS)
    assert rows["input_ids"][1, :2].tolist() == [16, EOS]
    assert rows["document"][1, :3].tolist() == [-1, 0, -1]


@pytest.mark.parametrize("eos", [None, EOS])
@pytest.mark.parametrize("window_context", [True, False])
def test_every_token_of_every_document_is_predicted_exactly_once(eos, window_context):
    random = np.random.default_rng(0)
    documents = [random.integers(3, 1000, size) for size in random.integers(0, 90, 300)]
    rows = packed(documents, length=32, eos=eos, window_context=window_context)
    for index, document in enumerate(documents):
        expected = sorted([*document.tolist(), *([eos] if eos else [])])
        assert predicted(rows, index) == expected


def test_rows_are_filled_almost_wholly():
    random = np.random.default_rng(0)
    pieces = place(random.integers(1, 300, 2000), 256)
    assert pieces.size.sum() / (pieces.n_rows * 256) > 0.98


def test_pieces_never_overlap_and_never_leave_their_row():
    pieces = place(np.random.default_rng(1).integers(0, 100, 500), 40)
    taken = np.zeros((pieces.n_rows, 40), int)
    for row, offset, size in zip(pieces.row, pieces.offset, pieces.size, strict=True):
        assert offset + size <= 40
        taken[row, offset : offset + size] += 1
    assert taken.max() == 1


def test_best_fit_takes_the_largest_first_and_the_fullest_row_with_room():
    rows, n_rows = best_fit(np.array([2, 5, 3, 6]), 8)
    assert (rows.tolist(), n_rows) == ([0, 1, 1, 0], 2)


def plain_best_fit(sizes, capacity):
    """Ask every open row; of the fullest that has room, the one that was filled last."""
    rows = np.full(len(sizes), -1)
    room: list[int] = []
    touched: list[int] = []
    for index in sorted(range(len(sizes)), key=lambda each: (-sizes[each], each)):
        fitting = [row for row, free in enumerate(room) if free >= sizes[index]]
        row = min(fitting, key=lambda each: (room[each], -touched[each]), default=len(room))
        if row == len(room):
            room.append(capacity)
            touched.append(0)
        room[row] -= sizes[index]
        touched[row] = index + len(sizes) * sum(rows >= 0)
        rows[index] = row
    return rows


@pytest.mark.parametrize("capacity", [2, 7, 63, 64, 65, 4096, 5000])
def test_best_fit_is_what_a_plain_search_finds(capacity):
    random = np.random.default_rng(capacity)
    for n_sizes in (0, 1, 150):
        sizes = random.integers(1, capacity + 1, n_sizes)
        rows, n_rows = best_fit(sizes, capacity)
        assert rows.tolist() == plain_best_fit(sizes.tolist(), capacity).tolist()
        assert n_rows == rows.max(initial=-1) + 1


@pytest.mark.parametrize("length", [2048, 4096])
def test_less_than_a_hundredth_of_the_rows_is_padding_for_sizes_as_those_of_web_text(length):
    sizes = np.random.default_rng(0).lognormal(5.5, 1.2, 40_000).astype(np.int64)
    pieces = place(sizes, length)
    assert pieces.size.sum() / (pieces.n_rows * length) > 0.99
    short = sizes[pieces.document] < length
    assert (pieces.size[short] == sizes[pieces.document][short] + 1).all()


def test_an_empty_document_without_an_end_token_takes_no_place():
    rows = packed([[], [10]])
    assert rows["document"].tolist() == [[-1, 1, -1, -1, -1, -1, -1, -1]]


def test_no_document_gives_no_row():
    assert {name: each.shape for name, each in packed([]).items()} == {
        "input_ids": (0, 8),
        "position_ids": (0, 8),
        "document": (0, 8),
    }


def test_all_arrays_are_int32():
    assert {each.dtype for each in packed([[10]]).values()} == {np.dtype("int32")}


def test_a_row_of_one_token_is_refused():
    with pytest.raises(ConfigError, match="at least 2 tokens, not 1"):
        packed([[10]], length=1)
