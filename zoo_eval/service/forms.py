"""Forms of pages: what was filled in, and what is wrong with it."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request
from pydantic import ValidationError


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a form; of those that were sent twice the last."""
    sent = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in sent.items()}


FieldsDep = Annotated[dict[str, str], Depends(_fields)]


def mistakes(error: ValidationError) -> tuple[str, ...]:
    """What is wrong with the fields, sentence by sentence."""
    found = [(str(each["loc"][0]), each["msg"]) for each in error.errors()]
    return tuple(f"{where}: {said[0].lower()}{said[1:]}." for where, said in found)
