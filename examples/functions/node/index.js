/** Counts the words of what it is sent. */
const handle = async (context, body) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? '');
  console.log(`${text.length} characters`);
  return { body: { words: text.split(/\s+/).filter(Boolean).length } };
};

module.exports = { handle };
