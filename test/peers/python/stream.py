"""Raw TCP through ZMQ_STREAM: what the role does stands in ../c/stream.h."""

import zlib

from options import shape_of
from pattern import pattern
from wire import emit

MAX_IN_FLIGHT = 256 * 1024


class Connections:
    def __init__(self, peer):
        self.peer, self.ids, self.connects, self.disconnects = peer, set(), 0, 0

    def receive(self):
        """A connection id and bytes. No bytes: a connect the first time an id is seen, then a disconnect."""
        message = self.peer.receive()
        if len(message) != 2:
            self.peer.fail('expected a connection id and bytes')
        connection, data = message
        if not data:
            if connection in self.ids:
                self.ids.remove(connection)
                self.disconnects += 1
            else:
                self.ids.add(connection)
                self.connects += 1
            emit(event='connect' if connection in self.ids else 'disconnect', peer=connection.hex())
        self.peer.extra = {'connects': self.connects, 'disconnects': self.disconnects}
        return connection, data


def count_bytes(peer, data):
    peer.bytes += len(data)
    peer.checksum = zlib.crc32(data, peer.checksum)


def serve(peer, connections):
    peer.wait_for_go()
    while not peer.options.count or connections.disconnects < peer.options.count:
        peer.set_step('echoing bytes', peer.bytes)
        connection, data = connections.receive()
        if not data:
            continue
        count_bytes(peer, data)
        peer.received += 1
        if not peer.options.one_way:
            peer.send(connection, more=True)
            peer.send(data)
            peer.sent += 1


def request(peer, connections):
    options = peer.options
    numbers = range(options.first, options.first + options.count)
    parts = [b''.join(pattern(n, k, size) for k, size in enumerate(shape_of(options, n))) for n in numbers]
    if not all(parts):
        peer.fail('an empty message would end the connection')
    whole = b''.join(parts)
    peer.set_step('connecting', 0)
    connection, _ = connections.receive()
    peer.wait_for_go()
    sent = echoed = 0
    while sent < len(whole) or (not options.one_way and echoed < len(whole)):
        peer.set_step('sending bytes, echoed so far', echoed)
        while sent < len(whole) and (options.one_way or sent - echoed < MAX_IN_FLIGHT):
            part = parts[peer.sent]
            peer.send(connection, more=True)
            peer.send(part)
            peer.sent += 1
            sent += len(part)
        if options.one_way:
            break
        _, data = connections.receive()
        if not data:
            peer.fail('disconnected after %d bytes of %d' % (echoed, len(whole)))
        if data != whole[echoed:echoed + len(data)]:
            peer.fail('wrong echo in the %d bytes from offset %d' % (len(data), echoed))
        count_bytes(peer, data)
        peer.received += 1
        echoed += len(data)
    if options.one_way:
        count_bytes(peer, whole)  # closing with linger ends the connection once all is out
        return
    peer.send(connection, more=True)
    peer.send(b'')  # ends the connection at once


def role_stream(peer):
    connections = Connections(peer)
    (serve if peer.options.bind else request)(peer, connections)
