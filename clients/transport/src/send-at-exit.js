// @ts-check
// Run as a program by exit.js: sends what it reads, and ends with 0 when all of it was taken.
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { retryDelay } from './retry-delay.js';
import { createSender } from './create-sender.js';

const batchLines = 1000;
const { sender: options, batch } = JSON.parse(await text(process.stdin));
const sender = createSender(options);
for (let first = 0; first < batch.lines.length; first += batchLines) {
  const lines = batch.lines.slice(first, first + batchLines);
  const part = { lines, producer: batch.producer, sequence: batch.sequence + first };
  for (let attempt = 0; !(await isTaken(part)); attempt++) await sleep(retryDelay(attempt));
}
await sender.close();

/** @param {import('./sender.js').LineBatch} part */
async function isTaken(part) {
  try {
    await sender.send(part);
    return true;
  } catch {
    // Whoever waits for this process ends it when the time is over.
    return false;
  }
}
