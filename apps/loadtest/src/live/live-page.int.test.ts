import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { exampleProgress } from '../testing/example-progress.ts';
import { exampleResult } from '../testing/example-result.ts';
import { LivePage } from './live-page.ts';
import type { LiveUpdate } from './live-page-html.ts';
import type { RunProgress } from './run-progress.ts';

const result = exampleResult('not-ready');
const about = { scenario: 'quick <b>', target: 'http://127.0.0.1:4380' };

const progress = (atS: number): RunProgress => exampleProgress(result, atS);

async function get(url: string, headers: Record<string, string> = {}) {
  const asked = request(url, { headers });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}

/** The updates of the page, as they come. */
async function follow(
  url: string,
): Promise<{ updates: (LiveUpdate & { share: number })[]; ended: () => boolean }> {
  const asked = request(new URL('/updates', url));
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const updates: (LiveUpdate & { share: number })[] = [];
  let rest = '';
  let isEnded = false;
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n\n');
    rest = parts.pop()!;
    for (const part of parts)
      updates.push(JSON.parse(part.replace('event: update\ndata: ', '')) as LiveUpdate & { share: number });
  });
  response.on('end', () => (isEnded = true));
  return { updates, ended: () => isEnded };
}

test('the page and its parts come from the loopback address alone, under a policy that allows nothing else', async () => {
  await using page = await LivePage.open(0, about);
  assert.match(page.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  const html = await get(page.url);
  assert.match(html.headers['content-type']!, /^text\/html/);
  const policy = html.headers['content-security-policy']!;
  assert.match(
    String(policy),
    /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/,
  );
  assert.doesNotMatch(String(policy), /unsafe|https?:/);
  assert.match(html.body, /quick &lt;b&gt;/);
  assert.doesNotMatch(
    html.body,
    /(src|href)="(?!\/live-page\.(css|js)"|data:,")|style="|<style|<script>|\son[a-z]+="/,
  );
  for (const [path, type] of [
    ['live-page.css', 'text/css'],
    ['live-page.js', 'text/javascript'],
  ] as const) {
    const part = await get(page.url + path);
    assert.deepEqual([part.status, part.headers['content-type']], [200, `${type}; charset=utf-8`]);
  }
  assert.equal((await get(`${page.url}other`)).status, 404);
  assert.equal((await get(page.url, { host: 'attacker.example' })).status, 421);
});

test('whoever looks gets what is known at once, then each update, and the verdict at the end', async () => {
  const page = await LivePage.open(0, about);
  page.show(progress(5));
  const first = await follow(page.url);
  await eventually('the state', () => first.updates.length === 1);
  page.show(progress(20));
  const second = await follow(page.url);
  await eventually('both', () => first.updates.length === 2 && second.updates.length === 1);
  const { charts, figures, share, verdict } = first.updates[1]!;
  assert.equal(share, 20 / result.durationS);
  assert.match(charts, /<svg class="chart"/);
  assert.doesNotMatch(charts, /style=/);
  assert.match(figures, /Viewers that watch/);
  assert.equal(verdict, '');
  page.end(result, '/runs/<1>/report.html');
  await page[Symbol.asyncDispose]();
  await eventually('the end', () => first.ended() && second.ended());
  for (const { updates } of [first, second]) {
    assert.match(updates.at(-1)!.verdict, /Not ready/);
    assert.match(updates.at(-1)!.verdict, /\/runs\/&lt;1&gt;\/report\.html/);
  }
});

test('a port that is taken is an error', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  await assert.rejects(LivePage.open((taken.address() as AddressInfo).port, about), /EADDRINUSE/);
  taken.close();
});
