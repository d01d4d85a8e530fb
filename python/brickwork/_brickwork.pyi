from collections.abc import Sequence
from os import PathLike
from typing import TypedDict

__version__: str

class UnderstoodRequest(TypedDict):
    head: bytes
    spans: list[tuple[str, int, int]]
    target_form: str
    version: str
    framing: str
    persistence: str
    expects_continue: bool
    request_number: int
    remote: str
    local: str

def main(arguments: Sequence[str | PathLike[str]]) -> int: ...
def request_as_understood() -> UnderstoodRequest | None: ...
