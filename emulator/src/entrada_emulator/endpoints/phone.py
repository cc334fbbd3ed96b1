"""`/emulator/phone`: the phone of everybody in the directory, with approvals that wait and authenticator codes."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from entrada_emulator.endpoints.parameters import form_of
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.pages import Problem, render
from entrada_emulator.signing_in.mfa import Push
from entrada_emulator.signing_in.second_factor import STEP_SECONDS, code_now
from entrada_emulator.signing_in.views import PHONE

WRONG_NUMBER = "That is not the number on the sign-in page."
OVER = "This request is over."


async def phone(request: Request) -> Response:
    """Shows what waits for an answer and everybody's current code."""
    return _screen(emulator_of(request))


async def answer(request: Request) -> Response:
    """Approves or denies one sign-in, or shows the code of a set-up key that was typed in."""
    emulator = emulator_of(request)
    fields = await form_of(request)
    if "key" in fields:
        return _screen(emulator, key=fields["key"])
    push = emulator.state.pushes.find(fields.get("push", ""))
    if push is None or push.answer != "waiting":
        return _screen(emulator, problem=Problem(OVER))
    if fields.get("action") == "approve" and fields.get("number", "").strip() != str(push.number):
        return _screen(emulator, problem=Problem(WRONG_NUMBER, f"number-{push.id}"))
    push.answer = "approved" if fields.get("action") == "approve" else "denied"
    return RedirectResponse(PHONE, 303, {"cache-control": "no-store"})


def _screen(emulator: Emulator, *, problem: Problem | None = None, key: str = "") -> Response:
    now = emulator.state.clock.now()
    code = code_now(key, now) if key else None
    if key and code is None:
        problem = Problem("That is no set-up key: letters A to Z and digits 2 to 7.", "key")
    return render(
        "phone.html",
        problem=problem,
        action=PHONE,
        pushes=[_shown(push) for push in emulator.state.pushes.waiting()],
        codes=_codes(emulator),
        key_code=code,
        seconds=STEP_SECONDS - int(now.timestamp()) % STEP_SECONDS,
    )


def _shown(push: Push) -> dict[str, str]:
    return {"id": push.id, "application": push.application, "username": push.user.user_principal_name}


def _codes(emulator: Emulator) -> list[dict[str, str]]:
    now, totp = emulator.state.clock.now(), emulator.state.totp
    held = [(user, totp.secret_of(user)) for user in emulator.world.users]
    return [
        {"username": user.user_principal_name, "code": code}
        for user, secret in held
        if secret and (code := code_now(secret, now))
    ]


routes = [
    Route(PHONE, phone, methods=["GET"]),
    Route(PHONE, answer, methods=["POST"]),
]
