"""The peers' command line, the same as the C peer's: see ../README.md."""

import argparse

import zmq

TEXT_OPTIONS = {'ROUTING_ID', 'CONNECT_ROUTING_ID', 'PLAIN_USERNAME', 'PLAIN_PASSWORD', 'CURVE_PUBLICKEY',
                'CURVE_SECRETKEY', 'CURVE_SERVERKEY', 'ZAP_DOMAIN'}


def parse_options(arguments):
    parser = argparse.ArgumentParser(prog='peer', allow_abbrev=False)
    parser.add_argument('role')
    parser.add_argument('--type')
    for name in ('--bind', '--connect', '--topic', '--set', '--shape'):
        parser.add_argument(name, action='append', default=[])
    for name, default in (('--count', 0), ('--first', 0), ('--size', 16), ('--frames', 1), ('--window', 1),
                          ('--subscribers', 1), ('--timeout', 30000), ('--delay', 0)):
        parser.add_argument(name, type=int, default=default)
    for name in ('--sizes', '--to', '--identity', '--hwm', '--linger'):
        parser.add_argument(name)
    for name in ('--any', '--unordered', '--delimiter', '--mandatory', '--hold', '--stay', '--control', '--one-way',
                 '--until-unsubscribed'):
        parser.add_argument(name, action='store_true')
    options = parser.parse_args(arguments)
    if not options.bind and not options.connect:
        parser.error('expected --bind or --connect')
    shapes = options.shape if options.sizes is None else [options.sizes]
    options.shapes = ([[int(size) for size in shape.split(',')] for shape in shapes]
                      or [[options.size] * options.frames])
    return options


def shape_of(options, n):
    """The sizes of the frames of message n: the shapes take turns."""
    return options.shapes[n % len(options.shapes)]


def settings(options):
    pairs = [setting.split('=', 1) for setting in options.set]
    if options.identity is not None:
        pairs.append(('ROUTING_ID', options.identity))
    if options.linger is not None:
        pairs.append(('LINGER', options.linger))
    if options.hwm is not None:
        pairs += [('SNDHWM', options.hwm), ('RCVHWM', options.hwm)]
    if options.mandatory:
        pairs.append(('ROUTER_MANDATORY', '1'))
    return pairs


def apply_settings(options, socket):
    for name, value in settings(options):
        socket.setsockopt(getattr(zmq, name), value.encode() if name in TEXT_OPTIONS else int(value))
