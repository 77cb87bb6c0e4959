/**
 * Answers one HTTP request.
 *
 * @param {object} context of the request: method, query, headers, and log with info, warn, error
 * @param {any} body what was sent: an object if it was JSON or a form, else text
 * @returns {object} body, headers and statusCode of the answer; or just the body
 */
const handle = async (context, body) => {
  context.log.info(`${context.method} with ${JSON.stringify(context.query)}`);
  if (context.method === 'POST') {
    return { body: { received: body } };
  }
  return { body: { hello: context.query.name || 'World' } };
};

module.exports = { handle };
