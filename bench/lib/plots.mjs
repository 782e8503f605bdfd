/** SVG plots of a result, drawn by Vega-Lite: every group of cases by size, and each case that stands alone. */
import { formatSize } from '../cases/variants.mjs';
import { LATENCY_METRICS } from './latency.mjs';

const WIDTH = 560;

/**
 * `[{ name, title, svg }]`: one plot of the first metric of every group that has figures, one beside C's, and one of
 * all percentiles where the group measures round trips.
 */
export async function drawPlots(cases) {
  const plots = [];
  for (const { name, title, spec } of plotSpecs(cases)) plots.push({ name, title, svg: await draw(spec) });
  return plots;
}

/** `[{ name, title, spec }]`: what Vega-Lite is to draw. */
export function plotSpecs(cases) {
  const plots = [];
  for (const [title, group] of groupBy(cases, ({ group }) => group)) {
    const points = group.flatMap(pointsOf);
    for (const [name, shown, axis] of [
      [title, points, { label: group[0].metrics[0].label, format: '.3~s' }],
      [`${title}, beside C`, besideC(points, group), { label: 'times C’s', format: '.2~g' }],
    ]) {
      if (shown.length === 0) continue;
      plots.push({ name: fileName(name), title: name, spec: specOf(name, group, shown, axis) });
    }
    const name = `${title}, percentiles`;
    const trips = group.flatMap(percentilesOf);
    if (trips.length > 0)
      plots.push({ name: fileName(name), title: name, spec: percentilesSpec(name, trips) });
  }
  return plots;
}

function groupBy(list, keyOf) {
  const groups = new Map();
  for (const each of list) {
    const key = keyOf(each);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(each);
  }
  return groups;
}

function pointsOf({ name, size, metrics: [metric], rows }) {
  return rows
    .filter(({ summary }) => summary && Number.isFinite(summary[metric.key]?.median))
    .map(({ variant, summary }) => ({
      case: name,
      size: formatSize(size),
      bytes: size,
      driver: driverOf(variant),
      value: summary[metric.key].median,
      low: summary[metric.key].min,
      high: summary[metric.key].max,
    }));
}

/** A point for each percentile, of a case that has them all. */
function percentilesOf({ name, metrics, rows }) {
  if (!LATENCY_METRICS.every(({ key }) => metrics.some((metric) => metric.key === key))) return [];
  return rows
    .filter(({ summary }) => summary)
    .flatMap(({ variant, summary }) =>
      LATENCY_METRICS.map(({ key, label }) => ({
        case: name,
        driver: driverOf(variant),
        percentile: label.replace(' µs', ''),
        value: summary[key].median,
      })),
    );
}

/** The same as multiples of C's figure at each size, without C; nothing for cases that are no line over sizes. */
function besideC(points, group) {
  if (!isLine(points, group)) return [];
  const ofC = new Map(
    points.filter(({ driver }) => driver === 'C').map(({ bytes, value }) => [bytes, value]),
  );
  return points
    .filter(({ driver, bytes }) => driver !== 'C' && ofC.has(bytes))
    .map((point) => {
      const c = ofC.get(point.bytes);
      return { ...point, value: point.value / c, low: point.low / c, high: point.high / c };
    });
}

function isLine(points, group) {
  const sizes = new Set(points.map(({ bytes }) => bytes));
  return sizes.size > 1 && sizes.size === group.length;
}

function driverOf({ label }) {
  return label.replaceAll('`', '').replace(/,$/, '');
}

/** Shades of each family, for as many ways as it has. */
const FAMILIES = [
  [/^C\b/, ['#222222', '#888888', '#bbbbbb']],
  [/^zeromq-threads/, ['#0b4f9e', '#2f8fe0', '#7cc0f5', '#0e8f8b', '#5fd0c5', '#6b5bd6']],
  [/^npm zeromq/, ['#d9480f', '#ff922b', '#ffc078']],
  [/^pyzmq/, ['#2b8a3e', '#8ce99a']],
  [/./, ['#862e9c', '#da77f2']],
];

/** One colour for each driver, in the order of the tables. */
function colorsOf(points) {
  const drivers = [...new Set(points.map(({ driver }) => driver))];
  const used = new Map();
  const range = drivers.map((driver) => {
    const [, shades] = FAMILIES.find(([pattern]) => pattern.test(driver));
    const count = used.get(shades) ?? 0;
    used.set(shades, count + 1);
    return shades[count % shades.length];
  });
  return { domain: drivers, range };
}

/** From the smallest to the largest so many times: then only a logarithm shows both. */
const WIDE_SPAN = 30;

function specOf(title, group, points, { label, format }) {
  const bySize = isLine(points, group);
  const smallest = Math.min(...points.map(({ low }) => low));
  const largest = Math.max(...points.map(({ high }) => high));
  const floor = 10 ** Math.floor(Math.log10(smallest));
  const logarithmic = smallest > 0 && largest / smallest > WIDE_SPAN;
  const y = (field) => ({
    field,
    type: 'quantitative',
    title: label,
    scale: logarithmic ? { type: 'log', ...(bySize ? {} : { domainMin: floor }) } : { type: 'linear' },
    axis: { format, tickCount: 6 },
  });
  const colors = colorsOf(points);
  const color = {
    field: 'driver',
    type: 'nominal',
    title: null,
    scale: colors,
    legend: { labelLimit: 400 },
  };
  const shared = { title, data: { values: points }, background: 'white', width: WIDTH, height: 300 };
  if (bySize) {
    const x = {
      field: 'size',
      type: 'ordinal',
      title: 'message',
      sort: { field: 'bytes' },
      axis: { labelAngle: 0 },
    };
    return {
      ...shared,
      layer: [
        { mark: { type: 'line', point: true }, encoding: { x, y: y('value'), color } },
        { mark: 'rule', encoding: { x, y: y('low'), y2: { field: 'high' }, color } },
      ],
    };
  }
  const x = {
    field: 'case',
    type: 'nominal',
    title: null,
    sort: null,
    axis: { labelAngle: group.length > 4 ? -30 : 0 },
  };
  const xOffset = { field: 'driver', type: 'nominal', sort: colors.domain };
  return {
    ...shared,
    layer: [
      // On a scale without zero a bar begins where the scale does.
      {
        mark: 'bar',
        encoding: { x, xOffset, y: y('value'), ...(logarithmic && { y2: { datum: floor } }), color },
      },
      {
        mark: { type: 'rule', color: 'black' },
        encoding: { x, xOffset, y: y('low'), y2: { field: 'high' } },
      },
    ],
  };
}

/** A panel for each case, a line for each driver: further right are fewer trips, and slower ones. */
function percentilesSpec(title, points) {
  const cases = new Set(points.map((point) => point.case));
  const colors = colorsOf(points);
  return {
    title,
    background: 'white',
    data: { values: points },
    columns: 2,
    facet: { field: 'case', type: 'nominal', title: null, sort: [...cases] },
    spec: {
      width: cases.size > 1 ? WIDTH / 2 : WIDTH,
      height: 220,
      mark: { type: 'line', point: true },
      encoding: {
        x: {
          field: 'percentile',
          type: 'ordinal',
          title: null,
          sort: LATENCY_METRICS.map(({ label }) => label.replace(' µs', '')),
          axis: { labelAngle: 0 },
        },
        y: {
          field: 'value',
          type: 'quantitative',
          title: 'µs',
          // A delay of nothing at all has no logarithm.
          scale: { type: points.every(({ value }) => value > 0) ? 'log' : 'symlog' },
          axis: { format: '~s', tickCount: 6 },
        },
        color: {
          field: 'driver',
          type: 'nominal',
          title: null,
          scale: colors,
          legend: { labelLimit: 400, orient: 'bottom', columns: 2 },
        },
      },
    },
  };
}

async function draw(spec) {
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

function fileName(title) {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}
