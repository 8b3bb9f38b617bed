"""Who owns the words hands them out at the moment of sending; they are never kept."""

from typing import Any, Protocol
from uuid import UUID

import httpx2

from services.notifier.settings import NotifierSettings
from shared.web.identity import IdentityUnavailable, ProviderRefused, ServiceTokens


class LetterUnavailable(Exception):
    """The owner of the words does not hand them out now; ``gone`` when it never will."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


class Letters(Protocol):
    """Who owns the words and hands them out at the moment of sending."""

    async def letter(self, question: UUID, kind: str, round: int) -> dict[str, Any]: ...


class Services:
    """Calls to our other services, with a token of our own."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._tokens = ServiceTokens(
            settings.issuer_url, settings.client_id, settings.client_secret.get_secret_value(),
            backchannel_url=settings.issuer_backchannel_url or None,
        )  # fmt: skip
        self._client: httpx2.AsyncClient | None = None

    async def get(self, service: str, path: str) -> httpx2.Response:
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=4.0, trust_env=False, follow_redirects=False)
        return await self._client.get(
            self._settings.inside[service].rstrip("/") + path,
            headers={**await self._tokens.header(), "Accept": "application/json"},
        )

    async def letter(self, question: UUID, kind: str, round: int) -> dict[str, Any]:
        """Address and words for the asker, of this round of its kind. Raises LetterUnavailable."""
        try:
            answer = await self.get("qa", f"/v1/letters/{question}/{kind}?round={round}")
        except (httpx2.HTTPError, IdentityUnavailable, ProviderRefused) as error:
            raise LetterUnavailable(f"chưa lấy được nội dung thư ({type(error).__name__})") from error
        if answer.status_code != 200:
            raise LetterUnavailable(
                f"dịch vụ hỏi đáp chưa giao nội dung thư ({answer.status_code})",
                gone=answer.status_code == 410,
            )
        letter: dict[str, Any] = answer.json()
        return letter

    async def operations(self, service: str) -> dict[str, Any]:
        answer = await self.get(service, "/v1/operations")
        answer.raise_for_status()
        state: dict[str, Any] = answer.json()
        return state

    async def portals(self) -> list[dict[str, Any]]:
        answer = await self.get("sync", "/v1/portals")
        answer.raise_for_status()
        content = answer.json()
        rows: list[dict[str, Any]] = content["items"] if isinstance(content, dict) else content
        return rows
