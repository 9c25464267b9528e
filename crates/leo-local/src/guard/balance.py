"""The load balancer's data plane, apart from the API: its listeners, and the WebSockets that the emulator refuses."""

import asyncio
import sys
from urllib.parse import parse_qs, quote

from ministack import app as ministack_app
from ministack.core.responses import StreamingResponse
from ministack.services import alb
from wsproto import ConnectionType, WSConnection, events


async def read_body(receive):
    chunks = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def raw_path_of(scope):
    return (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1").partition("?")[0]


def load_balancer_of(host, path):
    """The load balancer that a request is for, with its path there."""
    balancer = alb.find_lb_for_host(host)
    if balancer is None and path.startswith("/_alb/"):
        name, _, rest = path[len("/_alb/"):].partition("/")
        balancer = alb._find_lb_by_name(name)
        return balancer, f"/{rest}"
    return balancer, path


def listener_port(balancer, host):
    """The listener that the Host header's port names, else HTTPS before HTTP: the emulator terminates no TLS."""
    ports = {listener.get("Port", 80) for listener in alb._listeners.values()
             if listener["LoadBalancerArn"] == balancer["LoadBalancerArn"]}
    named = host.rpartition(":")[2]
    if named.isdigit() and int(named) in ports:
        return int(named)
    return 443 if 443 in ports else 80


async def balance(scope, receive, send, balancer, path, headers):
    body = await read_body(receive)
    if body is None:
        return
    raw = raw_path_of(scope)
    if raw.startswith("/_alb/"):
        raw = "/" + raw[len("/_alb/"):].partition("/")[2]
    query = scope.get("query_string", b"").decode("latin-1")
    status, answer, payload = await alb.dispatch_request(
        balancer, scope["method"], path, headers, body, parse_qs(query, keep_blank_values=True),
        listener_port(balancer, headers.get("host", "")), client_ip=(scope.get("client") or ("127.0.0.1",))[0],
        raw_query_string=query, raw_path=raw)
    if isinstance(payload, StreamingResponse):
        await ministack_app._send_streaming_response(send, receive, status, answer, payload)
    else:
        await ministack_app._send_response(send, status, answer, payload, head=scope["method"] == "HEAD")


def forward_target(balancer, port):
    """A target of the listener's default forward action, or None."""
    for listener in alb._listeners.values():
        if listener["LoadBalancerArn"] != balancer["LoadBalancerArn"] or listener.get("Port", 80) != port:
            continue
        for action in listener.get("DefaultActions", []):
            groups = [action.get("TargetGroupArn")] + [
                g.get("TargetGroupArn") for g in (action.get("ForwardConfig") or {}).get("TargetGroups") or []]
            for group in groups:
                for target in alb._targets.get(group, []) if group else []:
                    default = (alb._tgs.get(group) or {}).get("Port", 80)
                    return str(target["Id"]), int(target.get("Port") or default)
    return None


async def balance_websocket(scope, receive, send, balancer, path, headers):
    """Relays a WebSocket to the target, which the emulator's own load balancer can't."""
    if (await receive())["type"] != "websocket.connect":
        return
    target = forward_target(balancer, listener_port(balancer, headers.get("host", "")))
    writer = None
    try:
        if target is None:
            raise OSError("no target")
        reader, writer = await asyncio.open_connection(*target)
        raw = raw_path_of(scope)
        if raw.startswith("/_alb/"):
            raw = "/" + raw[len("/_alb/"):].partition("/")[2]
        query = scope.get("query_string", b"").decode("latin-1")
        skipped = ("host", "connection", "upgrade")
        passed = [(n, v) for n, v in scope["headers"]
                  if n.decode("latin-1").lower() not in skipped and not n.lower().startswith(b"sec-websocket-")]
        connection = WSConnection(ConnectionType.CLIENT)
        writer.write(connection.send(events.Request(
            host=headers.get("host", target[0]), target=raw + (f"?{query}" if query else ""),
            subprotocols=list(scope.get("subprotocols") or []), extra_headers=passed)))
        early = []
        accepted = None
        while accepted is None:
            data = await reader.read(65536)
            if not data:
                raise OSError("the target closed the handshake")
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, events.AcceptConnection):
                    accepted = event
                elif isinstance(event, (events.RejectConnection, events.RejectData)):
                    raise OSError("the target refused the upgrade")
                else:
                    early.append(event)
    except Exception as failure:  # noqa: BLE001 - every failure of the target is a refused upgrade
        print(f"guard: websocket to {target} failed: {failure}", file=sys.stderr)
        if writer is not None:
            writer.close()
        await send({"type": "websocket.close", "code": 1011})
        return
    await send({"type": "websocket.accept", "subprotocol": accepted.subprotocol})

    async def from_client():
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                writer.write(connection.send(events.CloseConnection(code=message.get("code") or 1000)))
                return
            text = message.get("text")
            event = events.TextMessage(data=text) if text is not None else events.BytesMessage(data=message["bytes"])
            writer.write(connection.send(event))
            await writer.drain()

    async def from_target():
        parts = []
        pending = early
        while True:
            for event in pending:
                if isinstance(event, (events.TextMessage, events.BytesMessage)):
                    parts.append(event.data)
                    if event.message_finished:
                        whole = ("" if isinstance(event, events.TextMessage) else b"").join(parts)
                        parts = []
                        await send({"type": "websocket.send", "text" if isinstance(whole, str) else "bytes": whole})
                elif isinstance(event, events.Ping):
                    writer.write(connection.send(event.response()))
                elif isinstance(event, events.CloseConnection):
                    await send({"type": "websocket.close", "code": event.code or 1000, "reason": event.reason or ""})
                    return
            data = await reader.read(65536)
            if not data:
                await send({"type": "websocket.close", "code": 1001})
                return
            connection.receive_data(data)
            pending = list(connection.events())

    tasks = [asyncio.create_task(from_client()), asyncio.create_task(from_target())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer.close()


