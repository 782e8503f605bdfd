/** Why a handshake failed, in words: names for the numbers that libzmq reports. */

/** libzmq's `ZMQ_PROTOCOL_ERROR_*`, without that prefix. */
const PROTOCOL_ERRORS: Readonly<Record<number, string>> = {
  268435456: 'ZMTP_UNSPECIFIED',
  268435457: 'ZMTP_UNEXPECTED_COMMAND',
  268435458: 'ZMTP_INVALID_SEQUENCE',
  268435459: 'ZMTP_KEY_EXCHANGE',
  268435473: 'ZMTP_MALFORMED_COMMAND_UNSPECIFIED',
  268435474: 'ZMTP_MALFORMED_COMMAND_MESSAGE',
  268435475: 'ZMTP_MALFORMED_COMMAND_HELLO',
  268435476: 'ZMTP_MALFORMED_COMMAND_INITIATE',
  268435477: 'ZMTP_MALFORMED_COMMAND_ERROR',
  268435478: 'ZMTP_MALFORMED_COMMAND_READY',
  268435479: 'ZMTP_MALFORMED_COMMAND_WELCOME',
  268435480: 'ZMTP_INVALID_METADATA',
  285212673: 'ZMTP_CRYPTOGRAPHIC',
  285212674: 'ZMTP_MECHANISM_MISMATCH',
  536870912: 'ZAP_UNSPECIFIED',
  536870913: 'ZAP_MALFORMED_REPLY',
  536870914: 'ZAP_BAD_REQUEST_ID',
  536870915: 'ZAP_BAD_VERSION',
  536870916: 'ZAP_INVALID_STATUS_CODE',
  536870917: 'ZAP_INVALID_METADATA',
  805306368: 'WS_UNSPECIFIED',
};

/** What ZAP (ZeroMQ RFC 27) says its status codes mean. */
const ZAP_STATUSES: Readonly<Record<number, string>> = {
  300: 'temporary error',
  400: 'authentication failure',
  500: 'internal error',
};

/** @internal The name of a protocol error; its number in hexadecimal if this package does not know it. */
export function protocolErrorName(protocol: number): string {
  return PROTOCOL_ERRORS[protocol] ?? `0x${protocol.toString(16)}`;
}

/** @internal What a ZAP status means. */
export function zapStatusMeaning(status: number): string {
  return ZAP_STATUSES[status] ?? `status ${status}`;
}
