"""A feature of its own: who is signed in may calculate, and finds the last results again."""

import operator
import re
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from entrada import CurrentUser, Page

router = APIRouter()
SIGNS = {"+": operator.add, "−": operator.sub, "×": operator.mul, "÷": operator.truediv}
NUMBER = re.compile(r"-?[0-9]{1,12}([.,][0-9]{1,6})?")


@router.get("/calculator")
async def show(page: Page, _user: CurrentUser, request: Request) -> Response:
    """Show the form and what was calculated before."""
    return page("calculator.html", signs=SIGNS, results=request.session.get("results", []), fault=None, typed=None)


@router.post("/calculator")
async def calculate(
    page: Page, _user: CurrentUser, request: Request,
    left: Annotated[str, Form()] = "", sign: Annotated[str, Form()] = "", right: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Calculate, and keep the result in the session, which is on the server."""
    results, fault = request.session.get("results", []), None
    if sign not in SIGNS or not NUMBER.fullmatch(left) or not NUMBER.fullmatch(right):
        fault = "Please give two numbers of at most twelve digits, and a sign."
    elif sign == "÷" and not float(right.replace(",", ".")):
        fault = "Nothing can be divided by zero."
    else:
        result = SIGNS[sign](Decimal(left.replace(",", ".")), Decimal(right.replace(",", ".")))
        results = request.session["results"] = [f"{left} {sign} {right} = {result:.12g}", *results][:5]
    return page("calculator.html", signs=SIGNS, results=results, fault=fault, typed=fault and (left, sign, right))
