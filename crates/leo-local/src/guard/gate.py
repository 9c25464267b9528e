"""The gate in front of everything: no request without a verified signature but the load balancer's, the registry with
its password, and nothing that a web page sends to the API."""

import base64
import hmac
import json
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from balance import balance, balance_websocket, load_balancer_of, raw_path_of, read_body
from ministack import app as ministack_app
from ministack.core import iam_evaluator as evaluator
from ministack.core.responses import set_request_account_id, set_request_client_ip, set_request_region
from ministack.services import ecr
from settings import ACCOUNT, ENDPOINT, REGION, REGISTRY_PASSWORD

inner_app = ministack_app.app
_get_authorization_token = ecr._get_authorization_token


def get_authorization_token(data):
    status, headers, body = _get_authorization_token(data)
    answer = json.loads(body)
    for entry in answer["authorizationData"]:
        entry["authorizationToken"] = base64.b64encode(f"AWS:{REGISTRY_PASSWORD}".encode()).decode()
        # Its own answer leads to AWS.
        entry["proxyEndpoint"] = ENDPOINT
    return status, headers, json.dumps(answer).encode()


def registry_login_is_right(headers):
    expected = base64.b64encode(f"AWS:{REGISTRY_PASSWORD}".encode()).decode()
    return hmac.compare_digest(headers.get("authorization", "").encode(), f"Basic {expected}".encode())


def header_map(scope):
    found = {}
    for name, value in scope.get("headers", []):
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        found[key] = f"{found[key]}{'; ' if key == 'cookie' else ', '}{text}" if key in found else text
    return found


async def refuse(send, status, code, message, extra=(), caller=None):
    """Answers in the wire format that the caller's SDK reads: JSON, or XML for the query protocol and for S3."""
    body = json.dumps({"__type": code, "message": message})
    kind = b"application/x-amz-json-1.1"
    if caller is not None and "x-amz-target" not in caller:
        body = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        body = body if "/s3/" in caller.get("authorization", "") else f"<ErrorResponse>{body}</ErrorResponse>"
        kind = b"text/xml"
    body = body.encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def replay(body, receive):
    sent = False

    async def again():
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def signature_failure(scope, headers, query, body):
    """Why a request's signature is not to be trusted, or None. S3 checks its own presigned URLs itself."""
    evaluator.pin_signed_request(scope["method"], raw_path_of(scope), query, scope["headers"])
    evaluator.pin_signed_body(body)
    pinned = evaluator._signed_request.get()
    if pinned is None:
        return evaluator.AuthError("MissingAuthenticationTokenException", "Missing Authentication Token")
    if pinned.s3_scoped:
        return None
    account = evaluator.find_iam_access_key_account(pinned.access_key_id) or ACCOUNT
    checked = evaluator.authenticate(pinned.access_key_id, account)
    if checked is None or isinstance(checked, evaluator.AuthError):
        return checked or evaluator.AuthError("UnrecognizedClientException",
                                              "The security token included in the request is invalid.")
    return None


async def gate(scope, receive, send):
    if scope["type"] == "lifespan":
        await inner_app(scope, receive, send)
        return
    headers = header_map(scope)
    path = scope["path"]
    set_request_account_id(ACCOUNT)
    set_request_region(REGION)
    set_request_client_ip((scope.get("client") or ("127.0.0.1",))[0])
    balancer, balanced_path = load_balancer_of(headers.get("host", ""), path)
    if scope["type"] == "websocket":
        if balancer is not None:
            await balance_websocket(scope, receive, send, balancer, balanced_path, headers)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        return
    if balancer is not None:
        await balance(scope, receive, send, balancer, balanced_path, headers)
        return
    if "origin" in headers:
        await refuse(send, 403, "AccessDeniedException", "requests of web pages are refused")
        return
    if path.startswith(("/_ministack/", "/_localstack/", "/_aws/", "/_alb/")) or path == "/health":
        if scope["method"] == "GET" and path in ("/_ministack/ready", "/_ministack/health"):
            await inner_app(scope, receive, send)
        else:
            await refuse(send, 403, "AccessDeniedException", "this endpoint is switched off")
        return
    if ministack_app._is_ecr_registry_path(path):
        if registry_login_is_right(headers):
            await inner_app(scope, receive, send)
        else:
            await refuse(send, 401, "UNAUTHORIZED", "authentication required",
                         [(b"www-authenticate", b'Basic realm="leo"'),
                          (b"docker-distribution-api-version", b"registry/2.0")])
        return
    if scope["method"] == "GET" and path.startswith("/v4/"):
        # Task metadata: the path holds an unguessable token.
        await inner_app(scope, receive, send)
        return
    body = await read_body(receive)
    if body is None:
        return
    query = parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"), keep_blank_values=True)
    failure = signature_failure(scope, headers, query, body)
    if failure is not None:
        code = failure.code
        code += "Exception" if code == "MissingAuthenticationToken" else ""
        await refuse(send, 403, code, failure.message, [(b"x-amzn-errortype", code.encode())], headers)
        return
    await inner_app(scope, replay(body, receive), send)


def install():
    ecr._get_authorization_token = get_authorization_token
    ministack_app.app = gate
