// Two ways to show the demo: a table that is redrawn in place, for terminals, and plain lines for everything else.

// Fits into 80 columns.
const WIDTHS = [24, 6, 11, 11, 8, 13];
const BAR = 30;
const PLAIN_EVERY_MS = 1000;

export function makeDisplay(rows, totalMs) {
  const out = process.stdout;
  return out.isTTY && process.env.TERM !== 'dumb' ? new Table(out, rows, totalMs) : new Lines(out, rows);
}

/** Each row of the table has: what, size, how, state ('waiting', 'running', 'done'), rate, megabytes, late. */
class Table {
  #out;
  #rows;
  #totalMs;
  #drawn = 0;
  #restored = false;
  #started = performance.now();

  constructor(out, rows, totalMs) {
    this.#out = out;
    this.#rows = rows;
    this.#totalMs = totalMs;
    out.write('\x1b[?25l'); // no cursor in the middle of a table
  }

  update() {
    const elapsed = performance.now() - this.#started;
    const part = Math.min(1, elapsed / this.#totalMs);
    const filled = Math.round(part * BAR);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
    const footer = part < 1 ? `${dim(bar)} ${seconds(elapsed)} of about ${seconds(this.#totalMs)}` : '';
    this.#draw([...this.#lines(), '', footer]);
  }

  end() {
    this.#draw([...this.#lines(), '']);
    this.restore();
  }

  restore() {
    if (!this.#restored) this.#out.write('\x1b[?25h');
    this.#restored = true;
  }

  #lines() {
    return [
      dim(columns(HEADINGS)),
      ...this.#rows.map((row) => {
        const line = columns(cells(row));
        if (row.state === 'running') return `▸ ${bold(line.slice(2))}`;
        return row.state === 'waiting' ? dim(line) : line;
      }),
    ];
  }

  /** Writes over what was drawn last. Lines are cut, since a wrapped one would spoil the count of lines. */
  #draw(lines) {
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
    const cut = lines.map((line) => `${cutTo(line, this.#out.columns || 80)}\x1b[K\n`);
    this.#out.write(`${up}${cut.join('')}\x1b[J`);
    this.#drawn = lines.length;
  }
}

class Lines {
  #out;
  #rows;
  #shown = new Set();
  #last = performance.now();

  constructor(out, rows) {
    this.#out = out;
    this.#rows = rows;
    out.write(`${columns(HEADINGS).trimEnd()}\n`);
  }

  update() {
    const now = performance.now();
    for (const row of this.#rows) {
      if (row.state === 'done' && !this.#shown.has(row)) {
        this.#shown.add(row);
        this.#print(row, 'done');
      } else if (
        row.state === 'running' &&
        row.rate > 0 &&
        !row.measured &&
        now - this.#last >= PLAIN_EVERY_MS
      ) {
        this.#print(row, 'so far');
      }
    }
  }

  end() {
    this.update();
    this.#out.write('\n');
  }

  restore() {}

  #print(row, state) {
    this.#last = performance.now();
    this.#out.write(`${columns(cells(row))}  ${state}\n`);
  }
}

const HEADINGS = ['  what', 'bytes', '  received', 'messages/s', 'MB/s', 'loop late by'];

function cells({ what, size, how, state, rate, megabytes, late }) {
  const known = state !== 'waiting' && rate > 0;
  return [
    `  ${what}`,
    size.toLocaleString('en'),
    `  ${how}`,
    known ? Math.round(rate).toLocaleString('en') : '',
    known ? megabytes.toFixed(1) : '',
    known && late !== undefined ? `${late.toFixed(1)} ms` : '',
  ];
}

function columns(texts) {
  return texts
    .map((text, index) =>
      index === 0 || index === 2 ? text.padEnd(WIDTHS[index]) : text.padStart(WIDTHS[index]),
    )
    .join(' ');
}

function seconds(ms) {
  return `${Math.round(ms / 1000)} s`;
}

const colors = process.env.NO_COLOR === undefined || process.env.NO_COLOR === '';
const bold = (text) => (colors ? `\x1b[1m${text}\x1b[22m` : text);
const dim = (text) => (colors ? `\x1b[2m${text}\x1b[22m` : text);

/** The first `width` characters that show, with all that only change how they look. */
function cutTo(text, width) {
  let left = width;
  return text.replace(/\p{Cc}\[\d+m|./gu, (piece) => (piece.startsWith('\x1b') || left-- > 0 ? piece : ''));
}
