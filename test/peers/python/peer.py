"""A test peer in Python: `peer.py ROLE [options]`, see ../README.md. One function a role."""

import sys

import zmq

from options import parse_options, shape_of
from pattern import checksum_frame, mismatch, pattern, pattern_number
from stream import role_stream
from wire import Peer, Stopped, emit


def count_frames(peer, frames):
    last = len(frames) - 1
    for k, frame in enumerate(frames):
        peer.bytes += len(frame)
        peer.checksum = checksum_frame(peer.checksum, frame, k < last)


def has_peer_id(peer):
    return peer.type == zmq.ROUTER


def send_address(peer):
    """The frame that addresses a ROUTER's peer. Until that peer is there, ROUTER answers EHOSTUNREACH."""
    if peer.options.to is None:
        peer.fail('a ROUTER that sends needs --to')
    while True:
        try:
            return peer.socket.send(peer.options.to.encode(), zmq.DONTWAIT | zmq.SNDMORE)
        except zmq.Again:
            peer.wait_for(zmq.POLLOUT, 1)
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                peer.fail('send: %s' % error)
            if peer.options.mandatory:
                peer.fail('send: EHOSTUNREACH')
            peer.wait_for(0, 1)
        if peer.stopped:
            raise Stopped


def send_pattern(peer, n, counted=True):
    """Sends message n of the pattern, after an address or a delimiter where there is one."""
    if has_peer_id(peer):
        send_address(peer)
    if peer.options.delimiter:
        peer.send(b'', more=True)
    frames = [pattern(n, k, size) for k, size in enumerate(shape_of(peer.options, n))]
    for k, frame in enumerate(frames):
        peer.send(frame, more=k + 1 < len(frames))
    if counted:
        count_frames(peer, frames)
    peer.sent += 1


def payload(peer, frames):
    """The frames behind the peer id and the delimiter."""
    start = 1 if has_peer_id(peer) else 0
    if not peer.options.delimiter:
        return frames[start:]
    if start >= len(frames) or frames[start]:
        peer.fail('message %d: no delimiter' % peer.received)
    return frames[start + 1:]


def count_payload(peer, frames):
    count_frames(peer, frames)
    peer.received += 1


def carried_number(frames):
    """The number the message carries itself, in its first frame of 8 bytes or more; None without one."""
    return next((pattern_number(frame) for frame in frames if len(frame) >= 8), None)


def check_pattern(peer, frames, n):
    sizes = shape_of(peer.options, n)
    if len(frames) != len(sizes):
        peer.fail('message %d: %d frames, expected %d' % (n, len(frames), len(sizes)))
    for k, frame in enumerate(frames):
        if len(frame) != sizes[k]:
            peer.fail('message %d frame %d: %d bytes, expected %d' % (n, k, len(frame), sizes[k]))
        at = mismatch(frame, n, k)
        if at >= 0:
            peer.fail('message %d frame %d: wrong byte at offset %d' % (n, k, at))


def check_received(peer, message, seen):
    """With --unordered every number of the range comes once, in any order."""
    options = peer.options
    frames = payload(peer, message)
    if not options.any:
        n = options.first + peer.received
        if options.unordered:
            n = carried_number(frames)
            if n is None:
                peer.fail('message %d: no frame of 8 bytes or more tells its number' % peer.received)
            if not options.first <= n < options.first + options.count:
                peer.fail('message %d is outside the range' % n)
            if n in seen:
                peer.fail('message %d came twice' % n)
            seen.add(n)
        check_pattern(peer, frames, n)
    count_payload(peer, frames)


def role_send(peer):
    peer.wait_for_go()
    for i in range(peer.options.count):
        peer.set_step('sending', i)
        send_pattern(peer, peer.options.first + i)
        peer.pause_between()
    peer.set_step('staying until stop', peer.sent)
    while peer.options.stay and not peer.stopped:
        peer.wait_for(0)


def role_recv(peer):
    seen = set()
    peer.wait_for_go()
    while not peer.options.count or peer.received < peer.options.count:
        peer.set_step('receiving', peer.received)
        check_received(peer, peer.receive(), seen)
        peer.pause_between()


def send_back(peer, frames):
    """One message back as it came, address and delimiter included."""
    try:
        peer.socket.send_multipart(frames, zmq.DONTWAIT)
    except zmq.Again:
        for k, frame in enumerate(frames):
            peer.send(frame, more=k + 1 < len(frames))
    except zmq.ZMQError as error:
        if error.errno != zmq.EHOSTUNREACH:  # that client is gone: --mandatory only
            peer.fail('send: %s' % error)
        return
    peer.sent += 1


def role_echo(peer):
    peer.wait_for_go()
    while not peer.options.count or peer.sent < peer.options.count:
        peer.set_step('echoing', peer.sent)
        message = peer.receive()
        count_payload(peer, payload(peer, message))
        peer.pause_between()
        send_back(peer, message)


def role_request(peer):
    options, seen = peer.options, set()
    window = 1 if peer.type == zmq.REQ else options.window
    peer.wait_for_go()
    while peer.received < options.count and not peer.stopped:
        peer.set_step('requesting (answers so far)', peer.received)
        may_send = peer.sent < options.count and peer.sent - peer.received < window
        events = peer.wait_for(zmq.POLLIN | (zmq.POLLOUT if may_send else 0))
        if may_send and events & zmq.POLLOUT:
            send_pattern(peer, options.first + peer.sent, counted=False)  # only the answers count
        if events & zmq.POLLIN:
            check_received(peer, peer.receive(), seen)


class Subscriptions:
    """What an XPUB hears of its subscribers: 1 and a topic a new one, 0 and a topic one taken back."""

    def __init__(self, peer):
        self.peer, self.added, self.removed = peer, 0, 0

    def take(self):
        self.peer.wait_for(zmq.POLLIN)
        try:
            while True:
                frame = self.peer.try_receive()[0]
                if frame[:1] not in (b'\0', b'\1'):
                    continue
                self.added += frame[0] == 1
                self.removed += frame[0] == 0
                emit(event='subscribe' if frame[0] else 'unsubscribe', topic=frame[1:].decode('latin-1'))
        except zmq.Again:
            pass


def repeat_sync(peer):
    """A PUB cannot see its subscribers: until "go" it repeats a message that they skip and tell of."""
    topics = peer.options.topic
    peer.set_step('repeating sync until go', 0)
    i = 0
    while not peer.gone:
        if topics:
            peer.send(topics[i % len(topics)].encode(), more=True)
        peer.send(b'sync')
        peer.wait_for(0, 2)
        i += 1


def role_pub(peer):
    options, subscriptions = peer.options, Subscriptions(peer)
    while peer.type == zmq.XPUB and subscriptions.added < options.subscribers and not peer.stopped:
        peer.set_step('waiting for subscriptions', subscriptions.added)
        subscriptions.take()
    if options.hold:
        repeat_sync(peer)
    for i in range(options.count):
        if peer.stopped:
            break
        peer.set_step('publishing', i)
        if options.topic:
            peer.send(options.topic[i % len(options.topic)].encode(), more=True)
        send_pattern(peer, options.first + i)
        peer.pause_between()
    while options.until_unsubscribed and subscriptions.removed < subscriptions.added and not peer.stopped:
        peer.set_step('waiting for the subscriptions to be taken back', subscriptions.removed)
        subscriptions.take()


def subscribe(peer, topic):
    if peer.type == zmq.SUB:
        peer.socket.setsockopt(zmq.SUBSCRIBE, topic)
    else:
        peer.send(b'\1' + topic)


def role_sub(peer):
    options = peer.options
    topics = [topic.encode() for topic in options.topic]
    for topic in topics or [b'']:
        subscribe(peer, topic)
    peer.extra = {'first': 0, 'last': 0}
    least, synced = options.first, False
    peer.wait_for_go()
    while not options.count or peer.received < options.count:
        peer.set_step('receiving', peer.received)
        message = peer.receive()
        if topics and not message[0].startswith(tuple(topics)):
            peer.fail('message %d: a topic nobody subscribed to' % peer.received)
        if message[-1] == b'sync':
            if not synced:
                emit(event='sync', topic=message[0].decode('latin-1') if topics else '')
            synced = True
            continue
        frames = message[1:] if topics else message
        n = carried_number(frames)
        if n is None:
            n = least  # nothing tells of a gap
        if n < least:
            peer.fail('message %d came after %d' % (n, least - 1))
        if not peer.received:
            peer.extra['first'] = n
        peer.extra['last'] = n
        least = n + 1
        check_pattern(peer, frames, n)
        count_payload(peer, frames)


ROLES = {
    'send': ('PUSH', role_send), 'recv': ('PULL', role_recv), 'echo': ('ROUTER', role_echo),
    'request': ('REQ', role_request), 'pub': ('PUB', role_pub), 'xpub': ('XPUB', role_pub),
    'sub': ('SUB', role_sub), 'xsub': ('XSUB', role_sub), 'stream': ('STREAM', role_stream),
}


def main():
    options = parse_options(sys.argv[1:])
    if options.role not in ROLES:
        sys.exit('peer: unknown role %s' % options.role)
    default_type, run = ROLES[options.role]
    type_name = options.type or default_type
    role_settings = []
    if type_name == 'XPUB':
        role_settings.append('XPUB_VERBOSER')  # every subscriber counts
    if type_name == 'ROUTER' and options.to is not None:
        role_settings.append('ROUTER_MANDATORY')
    peer = Peer(options)
    peer.open(type_name, role_settings)
    try:
        run(peer)
    except Stopped:
        pass
    peer.finish()


main()
