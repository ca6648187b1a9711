// @ts-check
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * @import { TransportOptions } from './transport-options.js'
 *
 * @typedef {object} Flushable a transport, as far as the end of the process needs it
 * @property {boolean} isPending something waits to be sent
 * @property {{ producer: string, lines: string[], sequence: number }} unsent what waits in memory
 * @property {(timeoutMs: number) => Promise<boolean>} flush
 * @property {() => void} release
 * @property {() => void} giveUp
 */

/**
 * Sends what waits before the process ends. When it ends by itself, it is held up until everything is sent. After process.exit() or an
 * uncaught error nothing asynchronous runs any more: a child process then sends the rest, under the same numbers, so that what was
 * under way makes no copy. Both take at most `exitTimeoutMs`. A spool needs no child: the next process sends it.
 * @param {Flushable} transport
 * @param {TransportOptions & { exitTimeoutMs: number }} options
 * @returns {() => void} lets go of the process
 */
export function flushAtExit(transport, options) {
  let isGivenUp = false;
  const beforeExit = () => {
    if (!transport.isPending || isGivenUp) return;
    void transport.flush(options.exitTimeoutMs).then((isSent) => (isGivenUp = !isSent));
  };
  const exit = () => {
    if (options.spool !== undefined) return transport.release();
    if (transport.isPending && (isGivenUp || !sendByChild(transport, options))) transport.giveUp();
  };
  process.on('beforeExit', beforeExit);
  process.on('exit', exit);
  return () => {
    process.off('beforeExit', beforeExit);
    process.off('exit', exit);
  };
}

/** @param {Flushable} transport @param {TransportOptions & { exitTimeoutMs: number }} options */
function sendByChild(transport, { url, token, headers, gzip, kafka, exitTimeoutMs }) {
  const sender = { url, headers, gzip, kafka, token: typeof token === 'function' ? undefined : token };
  if (typeof token === 'function') {
    // Its last value is unknown here, and a promise of another thread would never settle.
    const now = token();
    if (typeof now !== 'string') return false;
    sender.token = now;
  }
  const { status } = spawnSync(
    process.execPath,
    [fileURLToPath(new URL('./send-at-exit.js', import.meta.url))],
    {
      input: JSON.stringify({ sender, batch: transport.unsent }),
      timeout: exitTimeoutMs,
      stdio: ['pipe', 'ignore', 'ignore'],
      // What the program preloads may log itself.
      env: { ...process.env, NODE_OPTIONS: '' },
    },
  );
  return status === 0;
}
