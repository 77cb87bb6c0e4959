const { CloudEvent } = require('cloudevents');

/**
 * Takes a CloudEvent; what it returns goes on to the broker, or back to who asked.
 *
 * @param {object} context of the request: headers, and log with info, warn, error
 * @param {CloudEvent} event the event: id, type, source, data, …
 * @returns {CloudEvent} the answer; nothing for none
 */
const handle = async (context, event) => {
  context.log.info(`event ${event.id} of type ${event.type}`);
  return new CloudEvent({
    type: 'function.response',
    source: '/function',
    datacontenttype: 'application/json',
    data: { received: event.data },
  });
};

module.exports = { handle };
