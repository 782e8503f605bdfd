/**
 * Which addresses may connect: lists of what is allowed and of what is denied.
 */
import { BlockList, isIP } from 'node:net';

/** What peers without an IP address are called, as `ipc` ones. */
const LOCAL = 'ipc';

/** A list of addresses and ranges. */
class AddressList {
  readonly #ranges = new BlockList();
  #local = false;
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** @throws RangeError or TypeError for what is no address */
  add(entry: string): void {
    const [address = '', prefix] = entry.split('/', 2);
    const family = familyOf(address);
    if (entry === LOCAL) {
      this.#local = true;
    } else if (entry.includes('/')) {
      if (!/^\d{1,3}$/.test(prefix ?? '') || entry.split('/').length > 2) throw new RangeError('no prefix');
      this.#ranges.addSubnet(address, Number(prefix), family);
    } else {
      this.#ranges.addAddress(address, family);
    }
    this.#length += 1;
  }

  /** @param address as libzmq reports it: IPv4 addresses may come in IPv6 notation, and IPv6 ones with a zone */
  has(address: string): boolean {
    const [plain = ''] = address.split('%', 1);
    if (isIP(plain) === 0) return this.#local;
    return this.#ranges.check(plain, familyOf(plain));
  }
}

/** The lists of one domain. */
export class AddressRules {
  readonly #allowed = new AddressList();
  readonly #denied = new AddressList();

  allow(entries: readonly string[]): void {
    for (const entry of entries) this.#allowed.add(entry);
  }

  deny(entries: readonly string[]): void {
    for (const entry of entries) this.#denied.add(entry);
  }

  /** Why the address is refused; undefined if it is not. */
  obstacle(address: string): string | undefined {
    if (this.#denied.has(address)) return 'Address is denied';
    if (!this.#allowed.isEmpty && !this.#allowed.has(address)) return 'Address is not allowed';
    return undefined;
  }
}

/** Whether it is an IP address, a range of them such as `10.0.0.0/8`, or `ipc`. */
export function isAddressEntry(entry: unknown): entry is string {
  if (typeof entry !== 'string') return false;
  try {
    new AddressList().add(entry);
    return true;
  } catch {
    return false;
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
