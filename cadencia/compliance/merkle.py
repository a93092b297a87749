"""Merkle trees as RFC 6962 draws them, grown leaf by leaf in memory that grows with the logarithm of their size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

#: The root of a tree without leaves (RFC 6962, 2.1).
EMPTY = sha256(b"").digest()

_SIZE = 32


def leaf(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree of which only the roots of its perfect subtrees are kept, the largest first.

    Args:
        size: how many leaves there are.
        peaks: as `peaks` returned them.

    Raises:
        ValueError: the two do not belong together.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: bytes = b"") -> None:
        if size < 0 or len(peaks) != size.bit_count() * _SIZE:
            raise ValueError("the peaks are not those of a tree of this size")
        self.size = size
        self._peaks = [peaks[i : i + _SIZE] for i in range(0, len(peaks), _SIZE)]

    def add(self, entry: bytes) -> None:
        """Append a leaf."""
        peaks, size = self._peaks, self.size
        top = sha256(b"\x00" + entry).digest()
        while size & 1:
            top = sha256(b"\x01" + peaks.pop() + top).digest()
            size >>= 1
        peaks.append(top)
        self.size += 1

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self._peaks:
            return EMPTY
        top = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            top = node(peak, top)
        return top

    @property
    def peaks(self) -> bytes:
        """What has to be kept to go on later."""
        return b"".join(self._peaks)


@dataclass(slots=True)
class _Subtree:
    """A perfect subtree, and the paths of the wanted leaves below it."""

    top: bytes
    height: int
    paths: list[list[bytes]] = field(default_factory=list)


class Prover:
    """Finds the paths of some leaves while all leaves pass once.

    Args:
        wanted: the leaves' indices, from 0.
    """

    def __init__(self, wanted: Iterable[int]) -> None:
        self._paths: dict[int, list[bytes]] = {index: [] for index in wanted}
        self._stack: list[_Subtree] = []
        self.size = 0

    def add(self, entry: bytes) -> None:
        """The next leaf."""
        path = self._paths.get(self.size)
        right = _Subtree(leaf(entry), 0, [path] if path is not None else [])
        while self._stack and self._stack[-1].height == right.height:
            left = self._stack.pop()
            right = _join(left, right)
        self._stack.append(right)
        self.size += 1

    def finish(self) -> tuple[bytes, dict[int, tuple[bytes, ...]]]:
        """The root, and by index the path of each wanted leaf there is; nothing may be added afterwards."""
        if not self._stack:
            return EMPTY, {}
        tree = self._stack.pop()
        while self._stack:
            tree = _join(self._stack.pop(), tree)
        return tree.top, {index: tuple(path) for index, path in self._paths.items() if index < self.size}


def _join(left: _Subtree, right: _Subtree) -> _Subtree:
    for path in left.paths:
        path.append(right.top)
    for path in right.paths:
        path.append(left.top)
    return _Subtree(node(left.top, right.top), left.height + 1, left.paths + right.paths)


def includes(root: bytes, size: int, index: int, entry: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path proves the entry to be leaf `index` of the tree of that size (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last = index, size - 1
    top = leaf(entry)
    for step in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            top = node(step, top)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            top = node(top, step)
        at, last = at >> 1, last >> 1
    return last == 0 and top == root
