import { describe, expect, it } from 'vitest';

import * as layout from '../dist/src/layout.js';
import { native } from '../dist/src/native.js';

describe('the memory layout', () => {
  const ours: Record<string, number> = { ...layout };
  const theirs = native.layout();

  it('is stated at all', () => {
    expect(Object.keys(ours).length).toBeGreaterThan(30);
    expect(Object.values(ours).every(Number.isInteger)).toBe(true);
  });

  it('has the same names on both sides', () => {
    expect(Object.keys(theirs).sort()).toEqual(Object.keys(ours).sort());
  });

  it.each(Object.entries(ours))('agrees on %s', (name, value) => {
    expect(theirs[name]).toBe(value);
  });

  it('has room for what it holds', () => {
    const words = (prefix: string, end: string): number[] =>
      Object.entries(ours)
        .filter(([name]) => name.startsWith(prefix) && name !== end)
        .map(([, value]) => value);
    expect(Math.max(...words('CTL_', 'CTL_WORDS'))).toBeLessThan(layout.CTL_WORDS);
    expect(Math.max(...words('BELL_', 'BELL_WORDS'))).toBeLessThan(layout.BELL_WORDS);
    for (const prefix of ['CTL_', 'BELL_', 'STATE_', 'LOOP_', 'PUMP_', 'SEND_']) {
      const values = words(prefix, `${prefix}WORDS`);
      expect(new Set(values).size, `two words of ${prefix} are one`).toBe(values.length);
    }
    expect(layout.CHUNK_NEXT * 4).toBeLessThan(layout.CHUNK_HEADER_BYTES);
  });

  it('keeps the three writers of a control block on cache lines of their own', () => {
    const line = (word: number): number => Math.floor((word * 4) / 64);
    const producer = [
      layout.CTL_FIRST_CHUNK,
      layout.CTL_PUBLISHED_MESSAGES,
      layout.CTL_STATE,
      layout.CTL_LIMIT,
      layout.CTL_PUBLISHED_BYTES,
      layout.CTL_LIMIT_BYTES,
    ].map(line);
    const consumer = [layout.CTL_CONSUMED_MESSAGES, layout.CTL_CONSUMED_BYTES, layout.CTL_DEMAND].map(line);
    const both = [layout.CTL_WAITING, layout.CTL_PAUSED].map(line);
    expect(new Set([...producer, ...consumer, ...both]).size).toBe(3);
    expect([new Set(producer).size, new Set(consumer).size, new Set(both).size]).toEqual([1, 1, 1]);
    expect((layout.CTL_WORDS * 4) % 64).toBe(0);
  });
});
