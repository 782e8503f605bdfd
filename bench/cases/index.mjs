/** All cases; `full` marks those, and those variants, that a short run leaves out. */
import { costCases } from './cost.mjs';
import { echoCases } from './echo.mjs';
import { loadedCases } from './loaded.mjs';
import { publishCases } from './publish.mjs';
import { receiveCases } from './receive.mjs';
import { sendCases } from './send.mjs';
import { standingCases } from './standing.mjs';
import { transportCases } from './transports.mjs';

export const allCases = [
  ...receiveCases,
  ...sendCases,
  ...echoCases,
  ...loadedCases,
  ...standingCases,
  ...costCases,
  ...transportCases,
  ...publishCases,
];
