/** When a thread that died is replaced: at once, later, or after the circuit was open for a while. */
import { argumentError } from '../errors.js';
import { checkNames } from '../pending.js';

/** Options of the circuit; times in milliseconds. */
export interface CircuitOptions {
  /** So many deaths of one thread open its circuit; 5 unless told. */
  readonly deaths?: number | undefined;
  /** ... if they come within this time; 10 s unless told. */
  readonly within?: number | undefined;
  /** How long it is open the first time; it doubles each time, up to 30 s. 1 s unless told. */
  readonly backOff?: number | undefined;
}

/** The same, with nothing left open. */
export interface CheckedCircuitOptions {
  readonly deaths: number;
  readonly within: number;
  readonly backOff: number;
}

const LONGEST_BACK_OFF = 30_000;

export function checkCircuit(options: unknown = {}): CheckedCircuitOptions {
  if (typeof options !== 'object' || options === null) throw argumentError('circuit', 'an object', options);
  checkNames('circuit', options, ['deaths', 'within', 'backOff']);
  const { deaths = 5, within = 10_000, backOff = 1000 } = options as CircuitOptions;
  if (!Number.isInteger(deaths) || deaths < 1)
    throw argumentError('circuit.deaths', 'a positive integer', deaths);
  for (const [name, value] of Object.entries({ within, backOff })) {
    if (typeof value !== 'number' || !(value >= 0 && value <= 0x7fffffff)) {
      throw argumentError(`circuit.${name}`, 'a number of milliseconds from 0 up', value);
    }
  }
  return { deaths, within, backOff };
}

/** The circuit of one thread's place. */
export class Circuit {
  private times: number[] = [];
  private opened = 0;
  private waited = 0;
  /** Whether the thread is not replaced yet, because of how often it died. */
  open = false;

  constructor(private readonly options: CheckedCircuitOptions) {}

  /**
   * The thread died.
   *
   * @returns how long to wait before it is replaced, in milliseconds; sets `open`
   */
  died(now: number): number {
    const { deaths, within, backOff } = this.options;
    const last = this.times.at(-1);
    if (last !== undefined && now - last > within + this.waited) this.opened = 0;
    this.times = [...this.times.filter((time) => now - time <= within), now];
    if (this.times.length < deaths && this.opened === 0) {
      this.waited = 0;
      return 0;
    }
    this.open = true;
    this.waited = Math.min(Math.max(LONGEST_BACK_OFF, backOff), backOff * 2 ** this.opened);
    this.opened += 1;
    return this.waited;
  }
}
