"""Benchmark process on pyzmq: the roles of lib/loops.mjs, with the same command line and output."""

import array
import json
import resource
import sys
import time

import zmq

DEFAULTS = {"size": 16, "window": 1, "warmup": 0, "frames": 1, "period": 256}


def read_options(arguments):
    options = dict(DEFAULTS)
    for name, value in zip(arguments[::2], arguments[1::2]):
        name = name.removeprefix("--")
        options[name] = value if name in ("bind", "connect", "trips") else int(value)
    return options


def make_messages(options):
    padding = bytes(options["size"] - 1)
    rest = [bytes(options["size"])] * (options["frames"] - 1)
    return [[bytes([first]) + padding, *rest] for first in range(256)]


def pull(socket, options):
    count, checksum, size, start = 0, 0, 0, 0.0
    while count < options["count"]:
        if options["frames"] == 1:
            frame = socket.recv()
            size += len(frame)
        else:
            frames = socket.recv_multipart()
            frame = frames[0]
            size += sum(map(len, frames))
        if count == 0:
            start = time.monotonic()
        checksum += frame[0]
        count += 1
    return totals(count, count - 1, checksum, size, time.monotonic() - start)


def push(socket, options):
    count, period, checksum = options["count"], options["period"], 0
    messages = make_messages(options)
    start = time.monotonic()
    for n in range(count):
        first = n % period
        checksum += first
        if options["frames"] == 1:
            socket.send(messages[first][0])
        else:
            socket.send_multipart(messages[first])
    seconds = time.monotonic() - start
    return totals(count, count, checksum, count * options["size"] * options["frames"], seconds)


def echo_server(socket, options):
    count, checksum, size, start = 0, 0, 0, 0.0
    while count < options["count"]:
        frames = socket.recv_multipart()
        if count == 0:
            start = time.monotonic()
        checksum += frames[1][0]
        size += len(frames[1])
        socket.send_multipart(frames)
        count += 1
    return totals(count, count - 1, checksum, size, time.monotonic() - start)


def echo_window(socket, options):
    """`window` requests in flight, each timed by itself."""
    messages = make_messages(options)
    window, warmup = options["window"], options["warmup"]
    total = warmup + options["count"]
    sent, received, checksum, size, start = 0, 0, 0, 0, 0.0
    sent_at, trips = [0.0] * window, []
    while received < total:
        while sent < total and sent - received < window:
            sent_at[sent % window] = time.monotonic()
            socket.send(messages[sent & 255][0])
            sent += 1
        body = socket.recv()
        at = time.monotonic()
        if received == warmup:
            start = at
        if received >= warmup:
            trips.append(at - sent_at[received % window])
        checksum += body[0]
        size += len(body)
        received += 1
    seconds = time.monotonic() - start
    if "trips" in options:
        with open(options["trips"], "wb") as file:
            array.array("d", trips).tofile(file)
    return totals(received, len(trips), checksum, size, seconds)


def totals(count, timed, checksum, size, seconds):
    return {"count": count, "timed": timed, "checksum": checksum, "bytes": size, "seconds": seconds}


ROLES = {
    "pull": (zmq.PULL, pull),
    "push": (zmq.PUSH, push),
    "subscribe": (zmq.SUB, pull),
    "echo-server": (zmq.ROUTER, echo_server),
    "echo-client": (zmq.DEALER, echo_window),
    "echo-latency": (zmq.DEALER, echo_window),
    "echo-window": (zmq.DEALER, echo_window),
}


def main():
    kind, loop = ROLES[sys.argv[1]]
    options = read_options(sys.argv[2:])
    context = zmq.Context()
    socket = context.socket(kind)
    if "hwm" in options:
        socket.sndhwm = socket.rcvhwm = options["hwm"]
    if kind == zmq.SUB:
        for topic in range(options["period"]):
            socket.subscribe(bytes([topic]))
    if "bind" in options:
        socket.bind(options["bind"])
    if "connect" in options:
        socket.connect(options["connect"])
    endpoint = socket.last_endpoint.decode().rstrip("\0")
    print(json.dumps({"ready": True, "endpoint": endpoint, "libzmq": zmq.zmq_version()}), flush=True)
    cpu = time.process_time()
    result = loop(socket, options)
    if kind in (zmq.PUSH, zmq.ROUTER):
        # Who sends last closes only once everything has arrived: see c/common.h.
        sys.stdin.read()
    result["cpuSeconds"] = time.process_time() - cpu
    socket.close()
    context.term()
    result["maxRssKiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(result))


main()
