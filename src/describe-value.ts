/**
 * Short descriptions of arbitrary values for error messages. Nothing in here throws or runs user code that
 * could (getters, proxy traps, toString): a message about a bad argument must never fail on the argument.
 */
import { types } from 'node:util';

const MAX_TEXT = 40;
const MAX_KEYS = 3;

/**
 * Says what a value is in a few words: its type or class and, abbreviated, what it holds.
 *
 * ```ts
 * describeValue('tcp://x') // "string 'tcp://x'"
 * describeValue(new Map()) // 'an instance of Map'
 * ```
 */
export function describeValue(value: unknown): string {
  try {
    return describe(value);
  } catch {
    return `an unreadable ${typeof value}`;
  }
}

/**
 * As {@link describeValue}, without anything the value holds: for passwords and secret keys.
 */
export function describeShape(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `a string of ${value.length} characters`;
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'symbol':
      return `a ${typeof value}`;
    case 'object':
      if (value !== null && !types.isProxy(value) && Array.isArray(value)) {
        return `array of length ${value.length}`;
      }
      return ArrayBuffer.isView(value) || value === null ? describeValue(value) : 'an object';
    default:
      return describeValue(value);
  }
}

function describe(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'string':
      return `string '${abbreviate(value)}'`;
    case 'number':
      return Object.is(value, -0) ? 'number -0' : `number ${value}`;
    case 'bigint':
      return `bigint ${abbreviate(String(value))}n`;
    case 'boolean':
      return `boolean ${value}`;
    case 'symbol':
      return `symbol ${abbreviate(String(value))}`;
    case 'function':
      return describeFunction(value);
    default:
      return value === null ? 'null' : describeObject(value as object);
  }
}

function describeFunction(value: object): string {
  if (types.isProxy(value)) {
    return 'a proxy of a function';
  }
  const name = ownText(value, 'name');
  return name === '' ? 'an anonymous function' : `function ${abbreviate(name)}`;
}

function describeObject(value: object): string {
  if (types.isProxy(value)) {
    return 'a proxy of an object';
  }
  if (Array.isArray(value)) {
    return `array of length ${value.length}`;
  }
  if (ArrayBuffer.isView(value)) {
    return `${className(value) ?? 'a view'} of ${value.byteLength} bytes`;
  }
  if (types.isAnyArrayBuffer(value)) {
    return `${className(value) ?? 'a buffer'} of ${value.byteLength} bytes`;
  }
  const name = className(value);
  if (name === undefined) {
    return `null-prototype object ${keysOf(value)}`;
  }
  return name === 'Object' ? `object ${keysOf(value)}` : `an instance of ${abbreviate(name)}`;
}

/** The class's name; undefined for an object without a prototype. */
function className(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) {
    return undefined;
  }
  // The chain is walked by hand: `value.constructor` could be an accessor, or a proxy's trap.
  for (let at: unknown = prototype; at !== null; at = Object.getPrototypeOf(at)) {
    if (types.isProxy(at)) {
      return 'a class behind a proxy';
    }
    const type: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
    if (typeof type === 'function' && !types.isProxy(type)) {
      const name = ownText(type, 'name');
      return name === '' ? 'an anonymous class' : name;
    }
  }
  return 'Object';
}

function keysOf(value: object): string {
  const keys = Object.keys(value);
  const shown = keys.slice(0, MAX_KEYS).map((key) => abbreviate(key));
  if (keys.length > MAX_KEYS) {
    shown.push('...');
  }
  return keys.length === 0 ? '{}' : `{ ${shown.join(', ')} }`;
}

function ownText(value: object, key: string): string {
  const text: unknown = Object.getOwnPropertyDescriptor(value, key)?.value;
  return typeof text === 'string' ? text : '';
}

function abbreviate(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
  // Control characters would break the line or the terminal that the message is printed on.
  return cut.replace(/[\p{Cc}']/gu, (char) =>
    char === "'" ? "\\'" : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
