/** As echo.mjs, with a reply of its own to what fails. */
export { default } from './echo.mjs';

export const errorReply = (error, request) => [error.name, ...request];
