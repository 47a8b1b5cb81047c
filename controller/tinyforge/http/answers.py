"""What each path of the HTTP port answers. `BoundedServer` calls it for every request that can be read."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

from tinyforge.domain.complaints import Complaint
from tinyforge.http.checks import Check, report
from tinyforge.http.exposition import Exposition

logger = logging.getLogger(__name__)

_METHODS = ("GET", "HEAD")
_HEADERS = {"Cache-Control": "no-store", "Server": "tinyforge", "X-Content-Type-Options": "nosniff"}


class Answers:
    """The three paths.

    Args:
        health: what is wrong with this process's progress.
        readiness: why it is not ready.
        metrics: the metrics as texts.
        standing: what this process is, for people.
    """

    def __init__(self, *, health: Check, readiness: Check, metrics: Exposition, standing: Callable[[], str]) -> None:
        self._metrics = metrics
        self._paths: dict[str, Callable[[web.BaseRequest], web.Response]] = {
            "/healthz": lambda _: _checked(health, standing),
            "/readyz": lambda _: _checked(readiness, standing),
            "/metrics": self._exposed,
        }
        self._complaints = {path: Complaint() for path in self._paths}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request, as the last one on its connection."""
        response = self._respond(request)
        response.headers.update(_HEADERS)
        response.force_close()
        return response

    def _respond(self, request: web.BaseRequest) -> web.Response:
        path = request.raw_path.partition("?")[0]
        if path not in self._paths:
            return _text(HTTPStatus.NOT_FOUND, f"nothing is here; there are {', '.join(self._paths)}\n")
        if request.method not in _METHODS:
            response = _text(HTTPStatus.METHOD_NOT_ALLOWED, f"only {' and '.join(_METHODS)} are answered\n")
            response.headers["Allow"] = ", ".join(_METHODS)
            return response
        return self._answered(path, request)

    def _answered(self, path: str, request: web.BaseRequest) -> web.Response:
        complaint = self._complaints[path]
        try:
            response = self._paths[path](request)
        except Exception as error:
            if complaint.is_news(repr(error)):
                logger.exception("%s cannot be answered", path, extra={"action": "http_failed"})
            return _text(HTTPStatus.INTERNAL_SERVER_ERROR, f"{path} cannot be answered; the log says why\n")
        if failures := complaint.over():
            extra = {"action": "http_answers", "failures": failures}
            logger.info("%s can be answered again (failures: %d)", path, failures, extra=extra)
        return response

    def _exposed(self, request: web.BaseRequest) -> web.Response:
        page = self._metrics.page(",".join(request.headers.getall("Accept", ())))
        return web.Response(body=page.text, headers={"Content-Type": page.content_type})


def _checked(check: Check, standing: Callable[[], str]) -> web.Response:
    wrong = check()
    return _text(HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK, report(wrong, standing()))


def _text(status: HTTPStatus, text: str) -> web.Response:
    return web.Response(status=status, text=text)
