/** A CommonJS module whose exports node does not find by reading it. */
let ready = false;
const made = () => ({
  named: () => 'from CommonJS',
  isReady: () => String(ready),
  throws: () => {
    throw new Error('CommonJS');
  },
  setup: () => {
    ready = true;
  },
  errorReply: (error) => `${error.message} says`,
});
module.exports = made();
