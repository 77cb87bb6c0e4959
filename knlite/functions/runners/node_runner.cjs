// Serves a Node.js function by the faas-js-runtime of its own node_modules, on FUNC_PORT.
//
// Usage: node node_runner.cjs FOLDER ENTRY. What goes wrong before it serves is said in one
// sentence that names the user's file (KNLITE_ORIGIN instead of FOLDER). With KNLITE_LOG_MARKS
// each line that is written while a request is handled begins with \x1eREQUEST-ID\x1e.
//
// Source: Knative Functions reference §4.2. Differs from faas-js-runtime's own command: a function
// that cannot be loaded ends the program with code 1, instead of leaving nothing that listens.
'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const fs = require('node:fs');
const http = require('node:http');
const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const [folder, entry] = process.argv.slice(2);
const origin = process.env.KNLITE_ORIGIN || folder;
const marked = process.env.KNLITE_LOG_MARKS === '1';
const requests = new AsyncLocalStorage();
// Characters that may wait for their line end.
const WAITING_LIMIT = 256 * 1024;

function mark() {
  // Whole lines only: half of one waits for its end, in the request that writes it.
  const outside = { prefix: '', waiting: new Map() };
  const emit = http.Server.prototype.emit;
  http.Server.prototype.emit = function (event, request, ...rest) {
    if (event !== 'request') return emit.call(this, event, request, ...rest);
    const id = String(request.headers['x-request-id'] || '').slice(0, 128);
    const prefix = /^[!-~]+$/.test(id) ? `\x1e${id}\x1e` : '';
    const here = { prefix, waiting: new Map() };
    rest[0]?.once('close', () => finish(here));
    return requests.run(here, () => emit.call(this, event, request, ...rest));
  };
  const streams = [process.stdout, process.stderr];
  const writes = streams.map((stream) => stream.write.bind(stream));
  const finish = (here) => {
    for (const [index, rest] of here.waiting) fs.writeSync(index + 1, `${here.prefix}${rest}\n`);
    here.waiting.clear();
  };
  streams.forEach((stream, index) => {
    stream.write = (chunk, encoding, done) => {
      const here = requests.getStore() || outside;
      let text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      if (index === 1) text = text.replaceAll(folder, origin);
      text = (here.waiting.get(index) || '') + text;
      let end = text.lastIndexOf('\n') + 1;
      here.waiting.delete(index);
      if (text.length - end >= WAITING_LIMIT) {
        text += '\n';
        end = text.length;
      }
      if (end < text.length) here.waiting.set(index, text.slice(end));
      const callback = typeof encoding === 'function' ? encoding : done;
      if (!end) {
        if (callback) process.nextTick(callback);
        return true;
      }
      const lines = text.slice(0, end - 1).split('\n');
      return writes[index](lines.map((line) => `${here.prefix}${line}\n`).join(''), callback);
    };
  });
  process.on('exit', () => finish(outside));
}

function end(what, fix) {
  const verdict = marked ? '\x1e!\x1e' : '';
  fs.writeSync(2, `${verdict}${what}\n${verdict}  fix:   ${fix}\n`);
  process.exit(1);
}

function placeOf(error) {
  const stack = String((error && error.stack) || '').replaceAll(folder, origin);
  for (const part of stack.split(`${origin}${path.sep}`).slice(1)) {
    const found = part.match(/^([^\s:)]+):(\d+)/);
    if (found) return `${path.join(origin, found[1])} line ${found[2]}`;
  }
  return path.join(origin, entry);
}

function tell(error) {
  // Without the frames that lead to the function: Node.js's own, and this file's.
  const lines = String((error && error.stack) || error).split('\n');
  const own = (line) => /^ +at .*(node:internal|node_runner\.cjs)/.test(line);
  process.stderr.write(`${lines.filter((line) => !own(line)).join('\n')}\n`);
}

function mend(require) {
  // Its probes are answered by overload-protection, which wants Node.js's own answer to a request
  // and gets fastify's: an overloaded function raised a TypeError with each of them.
  let file;
  try {
    file = createRequire(require.resolve('faas-js-runtime')).resolve('overload-protection');
  } catch {
    return; // A version that has none.
  }
  const protection = require(file);
  require.cache[file].exports = (...settings) => {
    const protect = protection(...settings);
    return (request, reply, next) => {
      if (protect.overload !== true) return next();
      return reply.code(503).header('Retry-After', '1').send('Service Unavailable');
    };
  };
}

async function load() {
  const file = createRequire(path.join(folder, 'package.json')).resolve(`./${entry}`);
  const found = await import(pathToFileURL(file).href);
  return typeof found.handle === 'function' ? found : (found.default ?? found);
}

async function main() {
  if (marked) mark();
  let code;
  try {
    code = await load();
  } catch (error) {
    tell(error);
    const message = String((error && error.message) || error).split('\n')[0];
    const missing = message.match(/^Cannot find (?:module|package) '([^']+)'/);
    const what = `${placeOf(error)}: ${message.replaceAll(folder, origin)}`;
    if (missing && !/^[./]/.test(missing[1])) {
      end(what, `add ${missing[1]} to the dependencies of ${path.join(origin, 'package.json')}`);
    }
    end(what, 'correct it; the function is loaded again when it is saved');
  }
  if (typeof code !== 'function' && typeof (code && code.handle) !== 'function') {
    end(
      `${path.join(origin, entry)} does not export a function handle`,
      'write for example: const handle = async (context) => "Hello"; module.exports = { handle };',
    );
  }
  const require = createRequire(path.join(folder, 'package.json'));
  mend(require);
  const { start } = require('faas-js-runtime');
  try {
    await start(code, {
      port: Number(process.env.FUNC_PORT || process.env.PORT || 8080),
      logLevel: process.env.FUNC_LOG_LEVEL || 'warn',
      includeRaw: Boolean(process.env.FUNC_INCLUDE_RAW),
      bodyLimit: Number(process.env.FUNC_BODY_LIMIT || 1048576),
    });
  } catch (error) {
    tell(error);
    end(`${placeOf(error)} failed before it served: ${error && error.message}`, 'correct it');
  }
}

main();
