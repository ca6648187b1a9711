// @ts-check
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import { SendError } from './send-error.js';

/** @import { LineBatch, Rejection, Sender, SenderOptions } from './sender.js' */

const gzip = promisify(gzipCallback);
/** Compressing smaller bodies costs more than it saves. */
const gzipFrom = 1024;

/**
 * Sends batches to `POST /ingest`. Each carries its producer's id and its first line's number, by which readers drop the duplicates
 * of what was sent twice.
 * @param {SenderOptions} options
 * @returns {Sender}
 */
export function createHttpSender(options) {
  const { url = 'http://127.0.0.1:4318', token, headers = {}, requestTimeoutMs = 30_000 } = options;
  const target = new URL(url);
  if (target.pathname === '/') target.pathname = '/ingest';
  const usesGzip = options.gzip ?? true;

  /** @param {LineBatch} batch @returns {Promise<Rejection[]>} */
  async function send({ lines, producer, sequence }) {
    const text = lines.join('\n');
    const packed = usesGzip && text.length >= gzipFrom ? await gzip(text) : undefined;
    const bearer = typeof token === 'function' ? await attempt('token-failed', async () => token()) : token;
    const response = await attempt('unreachable', () =>
      fetch(target, {
        method: 'POST',
        headers: {
          ...headers,
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
          ...(packed === undefined ? {} : { 'content-encoding': 'gzip' }),
          'content-type': 'application/x-ndjson',
          'logloom-producer': producer,
          'logloom-sequence': String(sequence),
        },
        body: packed ?? text,
        signal: AbortSignal.timeout(requestTimeoutMs),
      }),
    );
    const answer = await attempt('unreachable', () => response.text());
    const { rejected, error } = parse(answer);
    // 400 with a list: every line was read and rejected, which is a regular response.
    if (response.ok || (response.status === 400 && rejected !== undefined))
      return (rejected ?? []).map(({ line, code, message }) => ({ line: line - 1, code, message }));
    const code = response.status === 413 ? 'too-large' : (error?.code ?? `http-${response.status}`);
    const retryAfterMs = retryAfter(response.headers.get('retry-after'));
    throw new SendError(code, error?.message ?? `${target.origin} answered ${response.status}`, {
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  return { send, close: async () => {} };
}

/**
 * @template T
 * @param {string} code
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
async function attempt(code, act) {
  try {
    return await act();
  } catch (error) {
    const { cause, message } = /** @type {Error & { cause?: { code?: string, message?: string } }} */ (error);
    // fetch hides the reason in the cause.
    throw new SendError(code, cause?.code ?? cause?.message ?? message, { cause: error });
  }
}

/** @param {string} text @returns {{ rejected?: Rejection[], error?: { code: string, message: string } }} */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's own page: the status is enough.
    return {};
  }
}

/** In ms, from seconds or a date (RFC 9110, section 10.2.3). @param {string | null} header */
function retryAfter(header) {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), 3_600_000) : undefined;
}
