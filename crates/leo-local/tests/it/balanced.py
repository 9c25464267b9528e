"""A load balancer in front of a server in this process; says what came through. Uses `client` of the prelude."""

import asyncio
import http.client
import socket
from urllib.parse import urlsplit

from hypercorn.asyncio import serve
from hypercorn.config import Config
from wsproto import ConnectionType, WSConnection, events


async def server(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind.endswith("shutdown"):
                return
    seen = f"{scope['path']}?{scope['query_string'].decode()}"
    await receive()
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": seen.encode()})
        return
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
    await send({"type": "websocket.send", "text": seen})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "leave":
            await send({"type": "websocket.close", "code": 4001})
            return
        await send({"type": "websocket.send", **{k: message[k] for k in ("text", "bytes") if message.get(k) is not None}})


async def talk(host, port, path):
    reader, writer = await asyncio.open_connection(host, port)
    connection = WSConnection(ConnectionType.CLIENT)

    async def next_event():
        whole = None
        while True:
            for event in connection.events():
                if not isinstance(event, events.Message):
                    return event
                whole = event.data if whole is None else whole + event.data
                if event.message_finished:
                    return whole
            connection.receive_data(await asyncio.wait_for(reader.read(65536), 10) or None)

    def say(event):
        writer.write(connection.send(event))

    say(events.Request(host=f"{host}:{port}", target=path, subprotocols=["leo"],
                       extra_headers=[(b"Origin", b"http://app.example.com")]))
    print("accepted", (await next_event()).subprotocol)
    print("path", await next_event())
    say(events.TextMessage(data="hello"))
    print("text", await next_event())
    say(events.BytesMessage(data=bytes(200_000)))
    print("bytes", len(await next_event()))
    say(events.Ping(payload=b"x"))
    print("ping", type(await next_event()).__name__)
    say(events.TextMessage(data="leave"))
    print("closed", (await next_event()).code)
    writer.close()


async def main():
    # It listens before the server runs, which is not before the first `await`: a request waits instead of being refused.
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config, done = Config(), asyncio.Event()
    config.bind, config.loglevel = [f"fd://{listener.detach()}"], "WARNING"
    serving = asyncio.create_task(serve(server, config, shutdown_trigger=done.wait))
    elb = client("elbv2")
    balancer = elb.create_load_balancer(Name="web", Subnets=[])["LoadBalancers"][0]
    group = elb.create_target_group(Name="web", Protocol="HTTP", Port=port, TargetType="ip")["TargetGroups"][0]
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[
        {"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}])
    elb.register_targets(TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": "127.0.0.1", "Port": port}])
    at = urlsplit(os.environ["AT"])

    def get(path, host):
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=10)
        connection.request("GET", path, headers={"Host": host, "Origin": "http://app.example.com"})
        return connection.getresponse().read().decode()

    for path, host in (("/_alb/web/a%2Fb?c=d", at.netloc), ("/a%2Fb?c=d", balancer["DNSName"]),
                       ("/a%2Fb?c=d", f"web.alb.localhost:{at.port}"), ("/_alb/none/", at.netloc)):
        answer = await asyncio.to_thread(get, path, host)
        print("http", "refused" if "refused" in answer else answer)
    await talk(at.hostname, at.port, "/_alb/web/ws?x=1")
    done.set()
    await serving


asyncio.run(main())
