"""What pyzmq does with keys. Prints lines of NAME, tab, VALUE.

auth.py write PATH [NAME VALUE]...   makes certificates
auth.py read PATH                    loads one
"""

import os
import sys

import zmq.auth


def print_keys(public_key, secret_key):
    print("public-key", public_key.decode(), sep="\t")
    print("secret-key", secret_key.decode() if secret_key else "", sep="\t")


def write_keys(path, *metadata):
    folder, name = os.path.split(path)
    described = dict(zip(metadata[::2], metadata[1::2]))
    _, secret = zmq.auth.create_certificates(folder, name, metadata=described)
    print_keys(*zmq.auth.load_certificate(secret))


def read_keys(path):
    print_keys(*zmq.auth.load_certificate(path))


COMMANDS = {"write": write_keys, "read": read_keys}

COMMANDS[sys.argv[1]](*sys.argv[2:])
