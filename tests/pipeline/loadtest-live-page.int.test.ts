import { LivePage, type RunProgress } from '@logloom/loadtest';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleProgress } from '../../apps/loadtest/src/testing/example-progress.ts';
import { exampleResult } from '../../apps/loadtest/src/testing/example-result.ts';
import { whyNoBrowser, withBrowser } from './with-browser.ts';

const skip = whyNoBrowser ?? false;
const result = exampleResult('not-ready');

const progress = (atS: number): RunProgress => exampleProgress(result, atS);

test(
  'a person sees the run go on, can pause it by the keyboard, and keeps the verdict when the program has ended',
  { skip },
  async () => {
    const live = await LivePage.open(0, { scenario: 'quick', target: 'http://127.0.0.1:4380' });
    let atS = 20;
    live.show(progress(atS));
    await withBrowser(async (context) => {
      const page = await context.newPage();
      // What the policy forbids is an error of the console.
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      const requests: string[] = [];
      page.on('request', (request) => requests.push(new URL(request.url()).host));
      await page.goto(live.url);
      const shown = (): Promise<string> =>
        page.evaluate<string>("String(document.getElementById('progress').value)");
      await eventually('the state', async () => (await page.locator('#charts svg').count()) > 0);
      // Named for who cannot see them, and colored by the style sheet that the policy lets in.
      assert.equal(await page.getByRole('img').count(), await page.locator('#charts svg').count());
      assert.ok((await page.getByRole('img').first().getAttribute('aria-labelledby')) !== null);
      const stroke = await page.evaluate<string>(
        "getComputedStyle(document.querySelector('#charts .line')).stroke",
      );
      assert.match(stroke, /^rgb/);
      const before = await shown();
      live.show(progress(++atS));
      await eventually('the next second', async () => (await shown()) !== before);

      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      assert.equal(
        await page.getByRole('button', { name: 'Resume updates' }).getAttribute('aria-pressed'),
        'true',
      );
      const paused = await shown();
      // The page has it, and does not show it.
      const received = page.evaluate(
        () => new Promise((resolve) => new EventSource('/updates').addEventListener('update', resolve)),
      );
      live.show(progress(++atS));
      await received;
      assert.equal(await shown(), paused);
      await page.keyboard.press('Enter');
      await eventually('the latest', async () => (await shown()) !== paused);

      live.end(result, '/runs/report.html');
      await live[Symbol.asyncDispose]();
      await page.getByText('✗ Not ready').waitFor();
      await page.getByText('The report is at /runs/report.html').waitFor();
      assert.equal(await page.getByRole('status').textContent(), 'The run has ended.');
      // Nobody is there any more: the page does not ask again, and stays.
      assert.deepEqual(problems, []);
      assert.deepEqual(
        [...new Set(requests)].filter((host) => host !== ''),
        [new URL(live.url).host],
      );
    });
  },
);
