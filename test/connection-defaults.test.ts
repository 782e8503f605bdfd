/** What sockets that this package connects on its own account start from. */
import { expect, test } from 'vitest';

import { connectionDefaults, withDefaults } from '../dist/src/connection-defaults.js';

test('an option takes the place of a default, and one that is undefined does not', () => {
  const given = { tcpKeepalive: undefined, connectTimeout: 5, linger: 0 };
  expect(withDefaults(connectionDefaults, given)).toEqual({
    ...connectionDefaults,
    connectTimeout: 5,
    linger: 0,
  });
  expect(withDefaults(connectionDefaults, undefined)).toEqual(connectionDefaults);
});
