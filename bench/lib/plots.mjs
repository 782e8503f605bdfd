/** SVG plots of a result, drawn by Vega-Lite: every group of cases by size, and each case that stands alone. */
import { parse, View } from 'vega';
import { compile } from 'vega-lite';

import { formatSize } from '../cases/variants.mjs';

const WIDTH = 560;

/** `[{ name, title, svg }]`: one plot of the first metric of every group that has figures. */
export async function drawPlots(cases) {
  const groups = groupBy(cases, groupOf);
  const plots = [];
  for (const [title, group] of groups) {
    const points = group.flatMap(pointsOf);
    if (points.length === 0) continue;
    const svg = await draw(specOf(title, group, points));
    plots.push({ name: fileName(title), title, svg });
  }
  return plots;
}

// Cases of several frames are no points on a line of sizes.
const groupOf = ({ group, name }) => (/-\d+x\d+$/.test(name) ? `${group}, ${name}` : group);

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
      driver: variant.label.replaceAll('`', ''),
      value: summary[metric.key].median,
      low: summary[metric.key].min,
      high: summary[metric.key].max,
    }));
}

function specOf(title, group, points) {
  const [{ metrics }] = group;
  const sizes = new Set(points.map(({ bytes }) => bytes));
  const bySize = sizes.size > 1 && sizes.size === group.length;
  const y = (field) => ({
    field,
    type: 'quantitative',
    title: metrics[0].label,
    // Rates span decades over the sizes.
    scale: { type: points.every(({ low }) => low > 0) && bySize ? 'log' : 'linear' },
    axis: { format: '.3~s' },
  });
  const color = { field: 'driver', type: 'nominal', title: null, legend: { labelLimit: 400 } };
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
  const x = { field: 'case', type: 'nominal', title: null, sort: null, axis: { labelAngle: 0 } };
  const xOffset = { field: 'driver', type: 'nominal', sort: null };
  return {
    ...shared,
    layer: [
      { mark: 'bar', encoding: { x, xOffset, y: y('value'), color } },
      {
        mark: { type: 'rule', color: 'black' },
        encoding: { x, xOffset, y: y('low'), y2: { field: 'high' } },
      },
    ],
  };
}

async function draw(spec) {
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
