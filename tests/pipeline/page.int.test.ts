import { TestIssuer } from '@logloom/auth/test-issuer';
import { eventually } from '@logloom/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { BrowserContext, Page } from 'playwright-core';
import { Pipeline } from './pipeline.ts';
import { demoLines } from './traffic.ts';
import { whyNoBrowser, withBrowser } from './with-browser.ts';

const skip = whyNoBrowser ?? false;

test(
  'a person types a filter and sees matching events arrive, then finds them, then opens the request',
  { skip },
  async () => {
    await using pipeline = await Pipeline.create({ CORRELATION_IDLE_MS: '1000' });
    await pipeline.start();
    await withBrowser(async (context) => {
      const page = await openPage(context, pipeline.viewersUrl);
      const failures: string[] = [];
      page.on('pageerror', (error) => failures.push(String(error)));

      await page.getByTestId('filter-input').fill('level:error AND service:pay*');
      await page.getByTestId('filter-input').press('Enter');
      // From now on what matches shows; what does not, does not.
      await eventually('subscribed', async () => (await liveMessages(page, pipeline)) > 0);
      const shown = await texts(page, 'event-row');
      assert.ok(
        shown.every((text) => text.includes('payment')),
        shown.join('\n'),
      );
      assert.ok(
        shown.some((text) => text.includes('the card was refused')),
        shown.join('\n'),
      );

      await page.getByTestId('filter-input').fill('level:(error');
      await page.getByTestId('filter-input').press('Enter');
      await page.getByTestId('filter-error').waitFor({ state: 'visible' });

      // History: exact totals, a histogram, and the way to one request.
      await pipeline.ingest(demoLines(40).join('\n'));
      await pipeline.untilDone();
      const { total } = await pipeline.get<{ total: { value: number } }>(
        '/api/search?q=service:gateway&limit=1',
      );
      await page.goto(`${pipeline.viewersUrl}/#search?q=service:gateway&range=all`);
      await eventually('the exact total', async () =>
        (await page.getByTestId('search-total').innerText())
          .replaceAll(/\D/g, '')
          .startsWith(String(total.value)),
      );
      assert.ok((await page.getByTestId('histogram').locator('rect').count()) > 0, 'the histogram has bars');

      await page.goto(`${pipeline.viewersUrl}/#search?q=get+AND+service:gateway&range=all`);
      await eventually('what was found is marked', async () => {
        const marks = await page.locator('#search-list mark').allInnerTexts();
        return marks.length > 0 && marks.every((text) => text.toLowerCase() === 'get');
      });

      // Which requests there are, and the way to those of a group.
      await page.goto(`${pipeline.viewersUrl}/#requests?by=service&range=all`);
      await page.getByTestId('group-row').first().waitFor({ state: 'visible' });
      const groups = await texts(page, 'group-row');
      assert.ok(
        groups.some((text) => text.startsWith('gateway')),
        groups.join('\n'),
      );
      await page.getByTestId('requests-by-shape').click();
      await eventually('shapes, named by their first events', async () =>
        (await texts(page, 'group-row')).some((text) => /GET \/\w+/.test(text)),
      );
      await page.getByTestId('group-row').first().getByRole('link').first().click();
      await page.getByTestId('request-row').first().click();
      await page.getByTestId('summary-path').waitFor({ state: 'visible' });
      const path = await texts(page, 'path-row');
      assert.ok(path.length >= 2 && path[0]!.startsWith('gateway'), path.join('\n'));

      await page.goto(`${pipeline.viewersUrl}/#requests`);
      await page.getByTestId('request-row').first().click();
      await page.getByTestId('timeline').waitFor({ state: 'visible' });
      assert.ok(
        (await page.getByTestId('request-events').getByTestId('event-row').count()) > 0,
        'the request lists its events',
      );
      assert.deepEqual(failures, []);
    });
  },
);

test(
  'where a token is needed the page asks for it, again when it is wrong, and then shows what the token allows',
  { skip },
  async () => {
    await using pipeline = await Pipeline.create({ LIVE_AUTH_JWKS: 'keys.json' });
    const issuer = await TestIssuer.create('k');
    writeFileSync(join(pipeline.dataFolder, 'keys.json'), issuer.jwks());
    await pipeline.start();
    await withBrowser(async (context) => {
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      await page.goto(pipeline.viewersUrl);
      const enter = async (token: string): Promise<void> => {
        await page.getByTestId('token-input').fill(token);
        await Promise.all([page.waitForEvent('load'), page.getByTestId('token-input').press('Enter')]);
      };
      await enter('not-a-token');
      await enter(await issuer.sign({ logloom_filter: 'service:payment' }));
      await untilConnected(page);
      await eventually('what it may see', async () => (await liveMessages(page, pipeline)) > 0);
      const shown = await texts(page, 'event-row');
      assert.ok(
        shown.every((text) => text.includes('payment')),
        shown.join('\n'),
      );
      assert.equal(await page.getByTestId('token-dialog').count(), 0);
    });
  },
);

async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(url);
  await untilConnected(page);
  return page;
}

async function untilConnected(page: Page): Promise<void> {
  await eventually(
    'connected',
    async () => (await page.getByTestId('connection-state').getAttribute('data-state')) === 'open',
  );
}

/** Sends one event that matches and one that does not; returns how many rows are shown. */
async function liveMessages(page: Page, pipeline: Pipeline): Promise<number> {
  await pipeline.ingest(
    [
      { level: 'error', service: 'payment', message: 'the card was refused', traceId: 'a1' },
      { level: 'error', service: 'shipping', message: 'no label', traceId: 'a1' },
      { level: 'info', service: 'payment', message: 'the card is fine', traceId: 'a1' },
    ]
      .map((event) => JSON.stringify(event))
      .join('\n'),
  );
  return (await texts(page, 'event-row')).filter((text) => text.includes('the card was refused')).length;
}

async function texts(page: Page, testId: string): Promise<string[]> {
  return page.locator(`[data-testid="${testId}"]:visible`).allInnerTexts();
}
