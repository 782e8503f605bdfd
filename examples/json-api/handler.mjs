// What server.mjs answers: one JSON document to another. Runs in each handler thread.

const prices = new Map();

/** Once in each thread, before its first request: what takes long to load is loaded here. */
export function setup() {
  for (const [name, price] of [
    ['apple', 30],
    ['pear', 45],
    ['plum', 12],
  ])
    prices.set(name, price);
}

const methods = {
  list: () => [...prices.keys()],
  total({ items }) {
    return items.reduce((sum, { name, count }) => {
      const price = prices.get(name);
      if (price === undefined) throw new RangeError(`there is no ${name}`);
      return sum + price * count;
    }, 0);
  },
};

export default ([request]) => {
  const { method, params } = JSON.parse(request);
  if (!Object.hasOwn(methods, method)) throw new TypeError(`there is no method ${method}`);
  return JSON.stringify({ result: methods[method](params) });
};
