"""What pyzmq does with keys. Prints lines of NAME, tab, VALUE.

auth.py write PATH [NAME VALUE]...   makes certificates
auth.py read PATH                    loads one
auth.py serve FOLDER PUBLIC SECRET   pulls from whom ThreadAuthenticator lets in: those whose keys are in the folder
"""

import os
import sys

import zmq
import zmq.auth
import zmq.auth.thread


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


def serve(folder, public_key, secret_key):
    context = zmq.Context()
    authenticator = zmq.auth.thread.ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve(domain="global", location=folder)
    pull = context.socket(zmq.PULL)
    pull.zap_domain = b"global"
    pull.curve_server = True
    pull.curve_publickey = public_key.encode()
    pull.curve_secretkey = secret_key.encode()
    pull.bind("tcp://127.0.0.1:*")
    print("endpoint", pull.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode(), sep="\t", flush=True)
    while True:
        print("message", pull.recv_string(), sep="\t", flush=True)


COMMANDS = {"write": write_keys, "read": read_keys, "serve": serve}

COMMANDS[sys.argv[1]](*sys.argv[2:])
