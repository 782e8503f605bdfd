"""A peer's socket, its waits, and what it prints: the rules stand in ../c/wire.h."""

import json
import os
import signal
import sys

import zmq

from options import apply_settings

EXIT_WRONG, EXIT_TIMEOUT, EXIT_ORPHANED = 1, 3, 4


class Stopped(Exception):
    """"stop" came on stdin: the role ends and the result says how far it got."""


def emit(**fields):
    sys.stdout.write(json.dumps(fields, separators=(',', ':')) + '\n')
    sys.stdout.flush()


class Peer:
    def __init__(self, options):
        self.options = options
        self.step, self.step_done = 'starting', 0
        self.gone = self.stopped = False
        self.sent = self.received = self.bytes = self.checksum = 0
        self.extra = {}
        self._calls = 0
        self._line = b''
        signal.signal(signal.SIGALRM, self._timed_out)
        signal.setitimer(signal.ITIMER_REAL, options.timeout / 1000)

    def _timed_out(self, *_):
        sys.stderr.write('peer %s: timed out while %s, done so far: %d\n'
                         % (self.options.role, self.step, self.step_done))
        sys.stderr.flush()
        os._exit(EXIT_TIMEOUT)

    def set_step(self, step, done):
        self.step, self.step_done = step, done

    def open(self, type_name, role_settings):
        options = self.options
        self.type = getattr(zmq, type_name)
        self.context = zmq.Context()
        self.socket = self.context.socket(self.type)
        try:
            apply_settings(options, self.socket)
            for name in role_settings:
                self.socket.setsockopt(getattr(zmq, name), 1)
            for endpoint in options.bind:
                self.socket.bind(endpoint)
            for endpoint in options.connect:
                self.socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.fail('bind or connect: %s' % error)
        self.poller = zmq.Poller()
        if options.control or options.hold or options.stay:
            self.poller.register(0, zmq.POLLIN)
        emit(ready=True, endpoint=self.socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b'\0').decode(),
             pid=os.getpid(), libzmq=zmq.zmq_version())

    def _result(self, ok, **fields):
        if self.stopped:
            fields['stopped'] = True
        emit(ok=ok, role=self.options.role, sent=self.sent, received=self.received, bytes=self.bytes,
             checksum=self.checksum, **self.extra, **fields)

    def fail(self, text):
        sys.stderr.write('peer %s: %s\n' % (self.options.role, text))
        sys.stderr.flush()
        self._result(False, error=text)
        os._exit(EXIT_WRONG)

    def finish(self):
        emit(event='done')
        self.set_step('closing (linger)', self.sent)
        self.socket.close()
        self.context.term()
        self._result(True)
        os._exit(0)

    def _read_control(self):
        got = os.read(0, 64)
        if not got:
            os._exit(EXIT_ORPHANED)
        *lines, self._line = (self._line + got).split(b'\n')
        for line in lines:
            if line == b'go':
                self.gone = True
            elif line == b'stop':
                self.stopped = self.gone = True
            else:
                self.fail('unknown command on stdin: %r' % line)

    def wait_for(self, events, timeout=None):
        """Waits for one of the socket's events, the timeout, or a line on stdin; returns the events."""
        self.poller.register(self.socket, events or zmq.POLLERR)
        ready = dict(self.poller.poll(timeout))
        if 0 in ready:
            self._read_control()
        return ready.get(self.socket, 0)

    def wait_for_go(self):
        if self.options.hold:
            self.set_step('waiting for go', 0)
            while not self.gone:
                self.wait_for(0)

    def pause_between(self):
        if self.options.delay:
            self.wait_for(0, self.options.delay)

    def _retry(self, call, events):
        while True:
            try:
                return call()
            except zmq.Again:
                if self.stopped:
                    raise Stopped from None
                self.wait_for(events)
            except zmq.ZMQError as error:
                self.fail(str(error))

    def send(self, frame, more=False):
        flags = zmq.DONTWAIT | (zmq.SNDMORE if more else 0)
        self._retry(lambda: self.socket.send(frame, flags), zmq.POLLOUT)

    def receive(self):
        self._calls += 1
        if self._calls % 256 == 0:
            self.wait_for(0, 0)  # a peer that never has to wait still reads its stdin
        return self._retry(self.try_receive, zmq.POLLIN)

    def try_receive(self):
        return self.socket.recv_multipart(zmq.DONTWAIT)
